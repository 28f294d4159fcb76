package worker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestAllowListNamesAlgorithmsAndTheirContainers(t *testing.T) {
	a, err := ParseAllow(strings.NewReader("# none\n\n org.x.a " + digest + " # the good one\norg.x.a process\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		pkg, digest string
		want        bool
	}{
		{"org.x.a", digest, true},
		{"org.x.a", WithoutContainer, true},
		{"org.x.a", strings.Replace(digest, "0", "1", 1), false},
		{"org.x.b", digest, false},
		{"org.x.a", "", false},
		{"", "", false},
	} {
		if got := a.Permits(tt.pkg, tt.digest); got != tt.want {
			t.Errorf("Permits(%q, %q) = %v", tt.pkg, tt.digest, got)
		}
	}
}

func TestBrokenAllowListAllowsNothing(t *testing.T) {
	for text, want := range map[string]string{
		"org.x.a":                               "line 1: write a package and a digest",
		"\norg.x.a latest":                      `line 2: "latest" is no digest`,
		"org.x.a " + digest + "0":               "is no digest",
		"org.x.a " + digest + " and more":       "write a package and a digest",
		"org.x.a " + strings.ToUpper(digest):    "is no digest",
		"a " + digest + "\n" + "b \x1b[31m.tag": "is no digest",
	} {
		a, err := ParseAllow(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) || len(a) > 0 || strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%q: %v, %v", text, a, err)
		}
	}
}

func TestExampleAllowsNothing(t *testing.T) {
	if a, err := ParseAllow(strings.NewReader(Example)); err != nil || len(a) != 0 {
		t.Errorf("%v, %v", a, err)
	}
}

func TestAllowListThatOthersMayWriteIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "allow")
	if err := os.WriteFile(path, []byte("org.x.a "+digest+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a, err := ReadAllow(path); err != nil || !a.Permits("org.x.a", digest) {
		t.Fatalf("%v, %v", a, err)
	}
	if err := os.Chmod(path, 0o620); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAllow(path); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
		t.Errorf("read: %v", err)
	}
	if _, err := ReadAllow(path + "-not"); err == nil || !strings.Contains(err.Error(), "--example-allow") {
		t.Errorf("read: %v", err)
	}
}

func FuzzParseAllow(f *testing.F) {
	f.Add(Example)
	f.Add("org.x.a " + digest + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAllow(strings.NewReader(text))
		if err != nil && a != nil {
			t.Error("a list beside an error")
		}
		for pkg, digests := range a {
			for _, d := range digests {
				if pkg == "" || d != WithoutContainer && !isDigest(d) || !strings.Contains(text, d) {
					t.Errorf("%q allows %q", pkg, d)
				}
			}
		}
	})
}

func TestHoursOfADay(t *testing.T) {
	for _, tt := range []struct {
		hours, at string
		want      bool
	}{
		{"", "12:00", true},
		{"18:00-08:00", "17:59", false},
		{"18:00-08:00", "18:00", true},
		{"18:00-08:00", "00:00", true},
		{"18:00-08:00", "07:59", true},
		{"18:00-08:00", "08:00", false},
		{"12:00-13:00, 20:00-24:00", "12:30", true},
		{"12:00-13:00, 20:00-24:00", "23:59", true},
		{"12:00-13:00, 20:00-24:00", "00:00", false},
		{"9:00-17:30", "17:29", true},
	} {
		h, err := ParseHours(tt.hours)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := time.Parse("15:04", tt.at)
		if got := h.Open(at); got != tt.want {
			t.Errorf("%q at %s: %v", tt.hours, tt.at, got)
		}
	}
	for _, bad := range []string{"18-8", "18:00", "18:00-18:00", "25:00-08:00", "18:00-08:60", "a-b"} {
		if h, err := ParseHours(bad); err == nil {
			t.Errorf("%q is %v", bad, h)
		}
	}
	if h, _ := ParseHours("9:00-17:30,20:00-24:00"); h.String() != "09:00-17:30,20:00-00:00" {
		t.Errorf("written %q", h)
	}
}

func TestHoursFollowTheClockOnTheWallThroughDaylightSaving(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones on this box")
	}
	h, _ := ParseHours("02:30-03:30")
	// The clock jumps from 2 to 3 on 2026-03-29 and from 3 to 2 on 2026-10-25.
	for at, want := range map[string]bool{
		"2026-03-29T00:45:00Z": false, "2026-03-29T01:15:00Z": true, // 01:45, 03:15
		"2026-10-25T00:45:00Z": true, "2026-10-25T01:15:00Z": false, "2026-10-25T01:45:00Z": true, // 02:45 CEST, 02:15, 02:45 CET
	} {
		u, _ := time.Parse(time.RFC3339, at)
		if got := h.Open(u.In(berlin)); got != want {
			t.Errorf("%s: %v", at, got)
		}
	}
}

func TestPauseOutlivesTheWorker(t *testing.T) {
	f := FolderOf(t.TempDir(), "https://exact.example.org/x")
	if err := f.Resume(); err != nil || f.Paused() {
		t.Errorf("paused %v, %v", f.Paused(), err)
	}
	if err := f.Pause("ann"); err != nil || !f.Paused() {
		t.Errorf("paused %v, %v", f.Paused(), err)
	}
	if err := f.Resume(); err != nil || f.Paused() {
		t.Errorf("paused %v, %v", f.Paused(), err)
	}
}
