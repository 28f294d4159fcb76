package apptainer

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestModelsAreKeptForEachAlgorithmOfEachServer(t *testing.T) {
	root := filepath.Join(t.TempDir(), "weights")
	if got := ListModels(root); got != nil {
		t.Error(got)
	}
	long := strings.Repeat("ü", 300)
	seen := map[string]bool{}
	names := []struct{ server, algorithm string }{
		{"https://lab.org/site", "Nuclei"}, {"https://lab.org", "Nuclei 2.0 (beta)"}, {"http://127.0.0.1:8080", "Nuclei"},
		{"https://lab.org", "../../escape"}, {"https://lab.org", ".."}, {"https://lab.org", "."}, {"https://lab.org", ""},
		{"https://lab.org", "a:b,c"}, {"https://lab.org", long}, {"https://lab.org", long + "x"}, {"..", "a/b"},
	}
	for _, n := range names {
		dir := ModelsFolder(root, n.server, n.algorithm)
		if filepath.Dir(filepath.Dir(dir)) != root || seen[dir] {
			t.Errorf("%q of %q is kept in %s", n.algorithm, n.server, dir)
		}
		seen[dir] = true
		j := Job{WorkDir: t.TempDir(), Weights: Weights{Dir: dir}}
		if err := j.Prepare(); err != nil {
			t.Errorf("%q of %q: %v", n.algorithm, n.server, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "tmp%models", "x"), make([]byte, 100), 0o600); err != nil {
			t.Error(err)
		}
	}
	all := ListModels(root)
	if len(all) != len(names) {
		t.Fatalf("%d are listed", len(all))
	}
	// What lies beside is never removed.
	if err := RemoveModels(root, Models{Path: filepath.Dir(root)}); err == nil {
		t.Error("another folder was removed")
	}
	for _, m := range all {
		if m.Size != 100 || time.Since(m.LastUsed) > time.Minute {
			t.Errorf("%+v", m)
		}
		if m.Algorithm == "Nuclei 2.0 (beta)" && m.Server != "lab.org" {
			t.Errorf("%+v", m)
		}
		if err := RemoveModels(root, m); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(root); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestRealTwoRunsShareModels(t *testing.T) {
	a, busybox := installed(t)
	host := registryHost(t, nil)
	push(t, host+"/lab/shell:1", shell(t, busybox))
	c := ensure(t, a, folder(t), host+"/lab/shell:1")
	w := Weights{Dir: ModelsFolder(folder(t), "http://"+host, "a b"), More: []string{"~/.models"}}
	// Each waits until it sees what the other one left.
	script := `set -e; for d in /tmp/models $HOME/.models; do : >$d/$1; until [ -e $d/$2 ]; do busybox sleep 0.02; done; done; busybox echo both`
	var wg sync.WaitGroup
	for _, who := range [][]string{{"one", "two"}, {"two", "one"}} {
		wg.Go(func() {
			out, errs, code := run(t, a, Job{Container: c, Weights: w, Argv: []string{script, "sh", who[0], who[1]}})
			if out != "both\n" || code != 0 {
				t.Errorf("exit %d: %q %s", code, out, errs)
			}
		})
	}
	wg.Wait()
}

func TestFoldersThatCannotBeKept(t *testing.T) {
	for _, bad := range []string{"", ".", "models", "/", "/tmp", "/home", "/home/run", "~", "~/", "/a:b", "/a,b", "/a\nb", "/opt/.."} {
		if err := CheckKept([]string{"/opt/models", bad}); err == nil || !strings.Contains(err.Error(), "--cache") || strings.ContainsAny(err.Error(), "\n") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := CheckKept([]string{"/opt/models", "~/.models", "/opt/models/", "/tmp/models"}); err != nil {
		t.Error(err)
	}
	if all, _ := places([]string{"/opt/models", "/opt/models/", "/tmp/models"}); len(all) != len(usualWeights)+1 {
		t.Errorf("%q", all)
	}
}
