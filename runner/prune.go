package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// idPattern is what NewID makes: nothing else below a work folder is ours.
const idPattern = `^[0-9]{8}-[0-9]{6}-[a-z2-7]{4}$`

// IsID tells whether a name is that of a run folder as NewID makes it.
func IsID(name string) bool { return regexp.MustCompile(idPattern).MatchString(name) }

// WorkFolders lists where the work folder of a run lies: in its own folder, and
// in the folder of work folders where [paths] has one. Only real folders count,
// a link to one does not.
func (s *Store) WorkFolders(id, work string) []string {
	var found []string
	if dir := filepath.Join(s.dir, id, WorkDir); isFolder(filepath.Dir(dir)) && isFolder(dir) {
		found = append(found, dir)
	}
	// The folder that a person chose for work folders may itself be a link.
	if dir := filepath.Join(work, id); work != "" && IsID(id) && isFolder(dir) {
		found = append(found, dir)
	}
	return found
}

func isFolder(path string) bool {
	st, err := os.Lstat(path)
	return err == nil && st.IsDir()
}

// DeleteWork removes the work folders of a run that has ended. The program's
// files go, all that is known of the run stays.
func (s *Store) DeleteWork(id, work string) error {
	run, err := s.Get(id)
	if err != nil {
		return err
	}
	if err := run.deletable(); err != nil {
		return err
	}
	lock, err := TakeLock(filepath.Join(run.Folder, LockFile))
	if errors.Is(err, ErrLocked) {
		return fmt.Errorf("cannot delete the work folder of run %s: its results are still being reported; try again later", id)
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	for _, dir := range s.WorkFolders(id, work) {
		if err := RemoveBelow(filepath.Dir(dir), filepath.Base(dir)); err != nil {
			return err
		}
	}
	return nil
}

// deletable tells why nothing of a run may be deleted.
func (r Run) deletable() error {
	switch {
	case r.Problem != nil:
		return fmt.Errorf("cannot delete run %s: %w", r.ID, r.Problem)
	case r.ForeignHost:
		return fmt.Errorf("cannot delete run %s: it belongs to host %s; delete it there", r.ID, r.Host)
	case !r.State.Ended():
		return fmt.Errorf("cannot delete run %s: it is %s; cancel it first", r.ID, r.State)
	}
	return nil
}

// RemoveBelow removes a folder that lies directly in parent with all that is in
// it, and never anything else: links are removed and not followed, whatever
// somebody puts there meanwhile.
func RemoveBelow(parent, name string) error {
	if name == "" || name == "." || name == ".." || filepath.Base(name) != name {
		return fmt.Errorf("%q is no folder in %s", name, parent)
	}
	root, err := os.OpenRoot(parent)
	if err != nil {
		return fmt.Errorf("cannot delete %s: %w", filepath.Join(parent, name), err)
	}
	defer root.Close()
	if root.RemoveAll(name) == nil {
		return nil
	}
	// A program may have left folders that their owner may not write.
	_ = fs.WalkDir(root.FS(), name, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = root.Chmod(path, 0o700)
		}
		return nil
	})
	if err := root.RemoveAll(name); err != nil {
		return fmt.Errorf("cannot delete %s: %w", filepath.Join(parent, name), err)
	}
	return nil
}
