package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/runner"
)

func TestVariablesThatLookSecretAreRefused(t *testing.T) {
	tests := []struct{ text, want string }{
		{"MODE=fast", ""},
		{"EMPTY=", ""},
		{"OMP_NUM_THREADS=4", ""},
		{"KEYBOARD=us", ""},
		{"MONKEY=1", ""},
		{"URL=https://example.org:8080/a@b", ""},
		{"API_TOKEN", ""},
		{"API_TOKEN=", ""},
		{"API_TOKEN=abc", "looks like a secret"},
		{"MY_PASSWORD=x", "looks like a secret"},
		{"AWS_SECRET_ACCESS_KEY=x", "looks like a secret"},
		{"KEY=x", "looks like a secret"},
		{"X=hf_abcdefghijk", "looks like a secret"},
		{"X=8c9db19d-0924-4015-af9a-ead617685ebf", "looks like a secret"},
		{"DB=postgres://me:hidden@host/db", "looks like a secret"},
		{"=x", "names no variable"},
		{"A-B=x", "names no variable"},
		{"HOME=/x", "cannot be set"},
		{"CUDA_VISIBLE_DEVICES=0", "--gpus"},
		{"APPTAINER_BIND=/", "how the container itself is started"},
		{"X=a\x00b", "too long"},
	}
	for _, tt := range tests {
		v, err := ParseVariable(tt.text)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q: %v, want %q", tt.text, err, tt.want)
		}
		if tt.want == "" && v.String() != tt.text {
			t.Errorf("%q reads as %q", tt.text, v)
		}
		if err != nil && (strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "8c9db19d")) {
			t.Errorf("%q: the message shows the secret: %v", tt.text, err)
		}
	}
}

func TestBindsAreReadAsTyped(t *testing.T) {
	t.Chdir(t.TempDir())
	here, _ := os.Getwd()
	t.Setenv("HOME", "/home/me")
	for text, want := range map[string]string{
		"src:/app":         here + "/src:/app",
		"./src/:/app/:ro":  here + "/src:/app:ro",
		"/data:/data:rw":   "/data:/data",
		"~/models:/models": "/home/me/models:/models",
	} {
		if b, err := ParseBind(text); err != nil || b.String() != want {
			t.Errorf("%s: %s, %v, want %s", text, b, err, want)
		}
	}
	for _, text := range []string{"", "src", ":/app", "src:", "src:app", "a:b:c:d", "src:/app:exec", "src:/"} {
		if b, err := ParseBind(text); err == nil {
			t.Errorf("%q reads as %s", text, b)
		}
	}
}

// developed is a launch of a command line in a folder with these files.
func developed(t *testing.T, line string, files ...string) LaunchRequest {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, f)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	a := client.Algorithm{Name: "A", CommandLine: line, Parameters: []client.Parameter{{Parameter: descriptor.Parameter{ID: "x", ValueKey: "[X]", Flag: "--x"}}}}
	return LaunchRequest{Algorithm: a, Runtime: runner.Process, Develop: &runner.Develop{Source: &runner.Source{Path: dir}}}
}

func TestProgramsOfAContainerAreFoundInTheSource(t *testing.T) {
	tests := []struct {
		name, line string
		files      []string
		program    string
		want       string // after the interpreter; or the error, in brackets
		words      int
	}{
		{"relative", "sh run.py [X]", []string{"run.py"}, "", "run.py", 2},
		{"absolute in the container", "sh /app/run.py --fast [X]", []string{"run.py"}, "", "run.py", 2},
		{"deeper", "sh /app/src/run.py [X]", []string{"src/run.py"}, "", "src/run.py", 2},
		{"an interpreter of the container", "/opt/conda/bin/sh run.py [X]", []string{"run.py"}, "", "run.py", 2},
		{"a module", "sh -m app [X]", nil, "", "-m app", 3},
		{"named", "entry [X]", []string{"b.py"}, "sh b.py", "b.py", 1},
		{"of the folder", "/app/go.sh [X]", []string{"go.sh"}, "", "", 1},
		{"only keys", "[X]", nil, "", "(names no program, its container does)", 0},
		{"options", "--x [X]", nil, "", "(names no program, its container does)", 0},
		{"missing file", "sh run.py [X]", nil, "", "(there is no run.py in)", 2},
		{"missing program", "nothing-like-this [X]", nil, "", "(no program nothing-like-this)", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := developed(t, tt.line, tt.files...)
			r.Develop.Program = strings.Fields(tt.program)
			d, err := (&Session{}).program(r)
			if why, bad := strings.CutPrefix(tt.want, "("); bad {
				if why = strings.TrimSuffix(why, ")"); err == nil || !strings.Contains(err.Error(), why) {
					t.Fatalf("%v, want %s", err, why)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(d.Program[1:], " "); got != tt.want || !filepath.IsAbs(d.Program[0]) || d.Words != tt.words {
				t.Errorf("%q in place of %d words, want %q of %d", d.Program, d.Words, tt.want, tt.words)
			}
		})
	}
}

func TestAnotherContainerIsToldFromTheSameByItsDigest(t *testing.T) {
	const digest = "lab/a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	tests := []struct{ earlier, own, chosen, want string }{
		{"", "lab/a:1", "lab/a:1", ""},
		{"", "lab/a:1", "docker://lab/a:1", ""},
		{"", "lab/a:1", digest, ""},
		{"", "lab/a:1", "lab/a:2", "lab/a:1"},
		{"", "lab/a:1", "/x/a.sif", "lab/a:1"},
		{"", "", "/x/a.sif", ""},
		{"lab/a:1", "/x/a.sif", "/x/a.sif", "lab/a:1"}, // again, from what the run kept
		{"lab/a:1", "/x/a.sif", "lab/a:1", ""},
	}
	for _, tt := range tests {
		var d *runner.Develop
		if tt.earlier != "" {
			d = &runner.Develop{Instead: tt.earlier}
		}
		got := ""
		if d := instead(d, tt.own, tt.chosen); d != nil {
			got = d.Instead
		}
		if got != tt.want {
			t.Errorf("%s in place of %s (earlier %q): %q, want %q", tt.chosen, tt.own, tt.earlier, got, tt.want)
		}
	}
}
