package profile

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// writeFile replaces a file in one step and makes it durable: after a crash
// there is the old content or the new one. Mode 0600.
func writeFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make %s: %w%s", dir, err, hint(err))
	}
	// A configuration kept elsewhere by a symbolic link stays there.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path, dir = target, filepath.Dir(target)
	}
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w%s", path, err, hint(err))
	}
	defer func() {
		if err != nil {
			temp.Close()
			os.Remove(temp.Name())
			err = fmt.Errorf("cannot write %s: %w", path, err)
		}
	}()
	if _, err = temp.Write(data); err != nil {
		return err
	}
	if err = temp.Sync(); err != nil {
		return err
	}
	if err = temp.Close(); err != nil {
		return err
	}
	if err = os.Rename(temp.Name(), path); err != nil {
		return err
	}
	folder, openErr := os.Open(dir)
	if openErr != nil {
		return nil // renamed; only its durability is unknown
	}
	defer folder.Close()
	return folder.Sync()
}

// locked calls f while no other program changes the files in p.Config.
func locked(p Paths, f func() error) error {
	if err := os.MkdirAll(p.Config, 0o700); err != nil {
		return fmt.Errorf("cannot make %s: %w%s", p.Config, err, hint(err))
	}
	lock := flock.New(filepath.Join(p.Config, ".lock"), flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("cannot lock %s: %w", p.Config, err)
	}
	defer lock.Close()
	return f()
}
