package apptainer

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// What TestUsersShareTheContainersOfTheSite tells the test that each user runs.
const (
	sharedReference = "CYTORUN_TEST_SHARED_REFERENCE"
	sharedDigest    = "CYTORUN_TEST_SHARED_DIGEST"
)

// The people of a box read the containers that somebody fetched for them, and
// each has an own cache for the others.
func TestUsersShareTheContainersOfTheSite(t *testing.T) {
	a, busybox := installed(t)
	if os.Geteuid() != 0 {
		t.Skip("needs root to become other users")
	}
	host := registryHost(t, nil)
	push(t, host+"/lab/show:1", show(t, busybox))
	site := filepath.Join(folder(t), "site")
	// Whoever fills it may have a strict umask.
	old := syscall.Umask(0o077)
	c, err := a.Ensure(t.Context(), site, host+"/lab/show:1", func(string) {})
	syscall.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Dir(site), func(path string, d fs.DirEntry, err error) error {
		mode := os.FileMode(0o444)
		if err == nil && d.IsDir() {
			mode = 0o555
		}
		return errors.Join(err, os.Chmod(path, mode))
	})
	if err != nil {
		t.Fatal(err)
	}
	before := tree(t, site)
	for name, uid := range map[string]int{"nobody": 65534, "daemon": 1} {
		if _, err := user.LookupId(strconv.Itoa(uid)); err != nil {
			t.Skipf("needs a user %s: %v", name, err)
		}
		out := asUser(t, uid, "^TestInsideTheContainersOfTheSite$", "",
			"CYTORUN_SITE_CONTAINERS="+site, sharedReference+"="+host+"/lab/show:1", sharedDigest+"="+c.Digest)
		if !strings.Contains(out, "--- PASS: TestInsideTheContainersOfTheSite") {
			t.Errorf("%s: %s", name, out)
		}
	}
	if after := tree(t, site); !slices.Equal(before, after) {
		t.Errorf("the site's folder was %v and is %v", before, after)
	}
}

func TestInsideTheContainersOfTheSite(t *testing.T) {
	reference := os.Getenv(sharedReference)
	if reference == "" {
		return // this is a part of TestUsersShareTheContainersOfTheSite
	}
	site := os.Getenv("CYTORUN_SITE_CONTAINERS")
	a, _ := installed(t)
	mine := folder(t)
	c := ensure(t, a, mine, reference)
	if filepath.Dir(c.Path) != site || c.Digest != os.Getenv(sharedDigest) {
		t.Errorf("%+v is not the site's", c)
	}
	if out, errs, code := run(t, a, Job{Container: c, Argv: []string{"mine"}}); out != "[mine]\n" || code != 0 {
		t.Errorf("exit %d: %q %s", code, out, errs)
	}
	if !Unchanged(mine, c) {
		t.Error("it counts as changed")
	}
	if files := tree(t, mine); slices.ContainsFunc(files, func(f string) bool { return strings.HasSuffix(f, ".sif") }) {
		t.Errorf("fetched all the same: %v", files)
	}
	if done, err := Prune(site, func(Stored) bool { return true }, func(Partial) bool { return true }); len(done.Containers) != 0 {
		t.Errorf("an ordinary user deleted %+v of the site: %v", done, err)
	}
	// Without the site's the own cache has it.
	t.Setenv("CYTORUN_SITE_CONTAINERS", "")
	if c := ensure(t, a, mine, reference); filepath.Dir(c.Path) != mine {
		t.Errorf("%+v is not mine", c)
	}
}

// tree lists the files below a folder.
func tree(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
