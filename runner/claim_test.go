package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRunsOfABoxThatWasRenamedAreClaimed(t *testing.T) {
	store, err := OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	run, err := store.Create(Spec{Host: "old-name"})
	if err != nil || !run.ForeignHost {
		t.Fatal(run.ForeignHost, err)
	}
	lock := filepath.Join(run.Folder, LockFile)
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Claim("old-name"); err == nil || !strings.Contains(err.Error(), "looks after "+run.ID) {
		t.Errorf("claimed from a box that lives: %v", err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(lock, long, long); err != nil {
		t.Fatal(err)
	}
	for host, says := range map[string]string{Host(): "its own already", "nobody": "no run of a host"} {
		if err := store.Claim(host); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := store.Claim("old-name"); err != nil {
		t.Fatal(err)
	}
	runs, err := store.List()
	if err != nil || len(runs) != 1 || runs[0].ForeignHost {
		t.Errorf("%+v %v", runs, err)
	}
	if run, err := ReadFolder(run.Folder); err != nil || run.ForeignHost {
		t.Errorf("%v %v", run.ForeignHost, err)
	}
	// A name that goes round in a circle ends.
	if err := WriteJSON(filepath.Join(store.Dir(), hostsFile), hosts{Schema, map[string]string{"a": "b", "b": "a"}}); err != nil {
		t.Fatal(err)
	}
	if !foreign(run.Folder, "a") {
		t.Error("a box of nobody is ours")
	}
}
