package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestImportDirection compares every package that exists with the table.
func TestImportDirection(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// -e: a package that does not compile is for the compiler to report
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Standard,Imports,Deps", "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	for d := json.NewDecoder(out); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("go list: %v", err)
	}
	if !slices.ContainsFunc(pkgs, func(p pkg) bool { return p.ImportPath == module+"/internal/imports" }) {
		t.Fatalf("go list did not find this module in %s", root)
	}
	for _, w := range check(pkgs) {
		t.Error(w)
	}
}

func TestForbiddenImportsAreNamed(t *testing.T) {
	ours := func(name string, imports ...string) pkg {
		return pkg{ImportPath: module + "/" + name, Imports: imports, Deps: imports}
	}
	const m = module + "/"
	tests := map[string]struct {
		pkgs []pkg
		want []string
	}{
		"down is allowed": {
			[]pkg{ours("cmd/cytorun", m+"tui", m+"internal/app"), ours("tui/logview", m+"runner/logfile", "charm.land/bubbletea/v2"), ours("client/cytomine", m+"client", m+"client/descriptor")},
			nil,
		},
		"up is not": {
			[]pkg{ours("client/cytomine", m+"internal/app")},
			[]string{"client/cytomine imports " + m + "internal/app: internal/app stands above client"},
		},
		"the descriptor knows no client": {
			[]pkg{ours("client/descriptor", m+"client")},
			[]string{"client/descriptor imports " + m + "client: client stands above client/descriptor"},
		},
		"forms and runner are strangers": {
			[]pkg{ours("runner", m+"forms")},
			[]string{"runner imports " + m + "forms: runner and forms stand side by side and know nothing of each other"},
		},
		"screens stay in tui and forms/prompt": {
			[]pkg{ours("forms/prompt", "charm.land/huh/v2"), ours("forms", "charm.land/huh/v2")},
			[]string{"forms imports charm.land/huh/v2: only tui and forms/prompt know the terminal user interface"},
		},
		"a new folder needs a place": {
			[]pkg{ours("util", "fmt")},
			[]string{"util lies in no known room; give its folder a line in internal/imports"},
		},
		"keep stays tiny": {
			[]pkg{{ImportPath: "os", Standard: true}, ours("runner/keep", "os", "golang.org/x/sys/unix", m+"runner", m+"runner/apptainer"),
				{ImportPath: m + "runner/keep/x", Deps: []string{"net/http"}}},
			[]string{
				"runner/keep imports " + m + "runner/apptainer: keep stays tiny, it may use only the standard library and " + m + "runner, golang.org/x/sys, github.com/gofrs/flock",
				"runner/keep/x draws in net/http: keep stays tiny",
			},
		},
		"no test helper in the program": {
			[]pkg{ours("cmd/cytorun", "testing")},
			[]string{"cmd/cytorun draws in the package testing; see who imports internal/bench or a test helper"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := check(tt.pkgs); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}
