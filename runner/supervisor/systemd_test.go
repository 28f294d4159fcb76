package supervisor

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSettingsOfSystemd(t *testing.T) {
	tests := map[string]struct {
		text         string
		before, want bool
	}{
		"yes":             {"[Login]\nKillUserProcesses=yes\n", false, true},
		"spaces and case": {" KillUserProcesses = TRUE ", false, true},
		"no":              {"KillUserProcesses=no", true, false},
		"a comment":       {"#KillUserProcesses=yes", false, false},
		"the last counts": {"KillUserProcesses=yes\nKillUserProcesses=no", false, false},
		"nothing":         {"", true, true},
		"rubbish":         {"KillUserProcesses=perhaps\n=\n\x00", true, true},
	}
	for name, tt := range tests {
		if got := setting(tt.text, "KillUserProcesses", tt.before); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestLaterFilesOfSystemdOverrideEarlierOnes(t *testing.T) {
	dir := t.TempDir()
	main, drop := filepath.Join(dir, "logind.conf"), filepath.Join(dir, "10-lab.conf")
	must(t, os.WriteFile(main, []byte("KillUserProcesses=no"), 0o600))
	must(t, os.WriteFile(drop, []byte("KillUserProcesses=yes"), 0o600))
	if !killsIn([]string{filepath.Join(dir, "logind.conf"), filepath.Join(dir, "*-lab.conf"), filepath.Join(dir, "none")}) {
		t.Error("the later file does not count")
	}
	if killsIn([]string{drop, main}) {
		t.Error("the earlier file counts")
	}
}
