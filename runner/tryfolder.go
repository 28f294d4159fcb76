package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// TryFolder tries everything that runs rely on in a folder, which is made where
// it is missing: that files keep their mode and content, that a lock has one
// holder, that a rename replaces, and that all of it can be synced. Some network
// file systems accept a lock and lock nothing. The error is one line that names
// what does not work; nothing is left behind.
func TryFolder(dir string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make %s: %w", dir, err)
	}
	tmp, err := os.MkdirTemp(dir, ".try-")
	if err != nil {
		return fmt.Errorf("cannot write to %s: %w", dir, err)
	}
	defer os.RemoveAll(tmp)
	path := filepath.Join(tmp, "file")
	if err := tryLock(path + ".lock"); err != nil {
		return fmt.Errorf("files do not lock in %s: %w", dir, err)
	}
	for _, content := range []string{"first", "second"} {
		if err := replaceFile(path, []byte(content), true); err != nil {
			return fmt.Errorf("files cannot be replaced in %s: %w", dir, err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != content {
			return fmt.Errorf("files cannot be replaced in %s: %q is read back where %q was written", dir, b, content)
		}
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s gives files to everybody: its file system knows no modes", dir)
	}
	return nil
}

// tryLock takes a lock twice, which must fail, and again when it is free.
func tryLock(path string) error {
	a, b := flock.New(path), flock.New(path)
	defer a.Close()
	defer b.Close()
	for _, step := range []struct {
		lock *flock.Flock
		want bool
	}{{a, true}, {b, false}} {
		got, err := step.lock.TryLock()
		if err != nil {
			return err
		}
		if got != step.want {
			return errors.New("a lock does not have one holder")
		}
	}
	if err := a.Unlock(); err != nil {
		return err
	}
	if got, err := b.TryLock(); err != nil || !got {
		return errors.Join(errors.New("a lock that was let go is not free"), err)
	}
	return nil
}
