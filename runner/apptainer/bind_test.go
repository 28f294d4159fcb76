package apptainer

import (
	"strings"
	"testing"
)

func TestBindsThatWouldBreakARunAreRefused(t *testing.T) {
	tests := []struct{ source, inside, want string }{
		{"/src", "/app", ""},
		{"/src", "/opt/app", ""},
		{"/src", "/home/run/data", ""},
		{"/src", "/tmp/models", ""},
		{"/src", "/var/lib/app", ""},
		{"/src", "/processing", ""},
		{"/src", "/", "no place inside a container"},
		{"/src", "app", "no place inside a container"},
		{"/src", "/app/../etc", "no place inside a container"},
		{"/src", "/home/run", "HOME and the working folder"},
		{"/src", "/home", "HOME and the working folder"},
		{"/src", "/tmp", "a folder of the run"},
		{"/src", "/var", "a folder of the run"},
		{"/src", "/proc", "the kernel shows itself"},
		{"/src", "/proc/1", "the kernel shows itself"},
		{"/src", "/dev/shm", "devices"},
		{"/src", "/opt", "certificates"},
		{"/a:b", "/app", "colon"},
		{"/a,b", "/app", "colon"},
		{"/src", "/a\nb", "colon"},
	}
	for _, tt := range tests {
		err := CheckBind(tt.source, tt.inside)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s:%s: %v, want %q", tt.source, tt.inside, err, tt.want)
		}
	}
}
