package gpu

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/runner"
)

// schema is the version of what is written in the files of the folder.
const schema = 1

// openDir finds the folder that this box's users share, and makes it where it
// is missing. One that is there and cannot be used is an error, not a reason to
// use the next: two users in two folders would not see each other's leases.
func openDir() (string, error) {
	dirs := runner.LeaseDirs()
	for _, dir := range dirs {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			return dir, patiently(func() error { return usable(dir) })
		}
	}
	var failed error
	for _, dir := range dirs {
		err := os.Mkdir(dir, 0o777)
		if err == nil {
			err = os.Chmod(dir, 0o777|fs.ModeSticky) // whatever the umask
		}
		if err == nil || errors.Is(err, fs.ErrExist) {
			return dir, patiently(func() error { return usable(dir) })
		}
		failed = errors.Join(failed, err)
	}
	return "", fmt.Errorf("no place for the queue of this box: %w; set CYTORUN_LEASES to a folder that its users share", failed)
}

// usable tells whether leases can be taken in a folder.
func usable(dir string) error {
	if err := runner.TrustedLeaseDir(dir); err != nil {
		return fmt.Errorf("cannot use the queue of this box: %w", err)
	}
	if err := unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		st, serr := os.Stat(dir)
		if serr != nil {
			return fmt.Errorf("cannot use the queue of this box: %w", serr)
		}
		return fmt.Errorf("cannot use the queue of this box: %w: %s belongs to %s and has mode %04o; ask for 'chmod 1777 %s'",
			fs.ErrPermission, dir, userName(owner(st)), st.Mode().Perm(), dir)
	}
	return nil
}

// patiently tries again what is not permitted: between the making of a file and
// the setting of its mode lies a moment.
func patiently(try func() error) error {
	for i := 0; ; i++ {
		err := try()
		if i == 20 || !errors.Is(err, fs.ErrPermission) {
			return err
		}
		time.Sleep(time.Duration(i) * 100 * time.Microsecond)
	}
}

func owner(st fs.FileInfo) int {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return int(sys.Uid)
	}
	return -1
}

// openShared opens a file that all users share, and makes it where it is
// missing. Opening before creating, and setting the mode by hand, is what works
// in a sticky folder under any umask and with fs.protected_regular.
func openShared(path string) (f *os.File, err error) {
	err = patiently(func() error {
		f, err = openOrMake(path)
		return err
	})
	return f, err
}

func openOrMake(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		if errors.Is(err, fs.ErrNotExist) {
			f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o666)
			if errors.Is(err, fs.ErrExist) {
				continue
			}
			if err == nil {
				err = f.Chmod(0o666)
			}
		}
		if err != nil {
			return nil, fileError(path, err)
		}
		return plain(f, path)
	}
}

// openRead opens a shared file to look at its lock and content.
func openRead(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fileError(path, err)
	}
	return plain(f, path)
}

// plain refuses what is no file of its own: a name that somebody gave to
// another file of ours, a pipe.
func plain(f *os.File, path string) (*os.File, error) {
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("it is no file; remove it")
	}
	if err == nil && st.Sys().(*syscall.Stat_t).Nlink > 1 {
		err = errors.New("it has a second name; remove it")
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// fileError says whose file is in the way.
func fileError(path string, err error) error {
	switch {
	case errors.Is(err, unix.ELOOP):
		return fmt.Errorf("%s: it is a symbolic link; remove it", path)
	case errors.Is(err, fs.ErrPermission):
		if st, serr := os.Lstat(path); serr == nil {
			return fmt.Errorf("%s belongs to %s and has mode %04o: %w; ask for 'chmod 666 %s'", path, userName(owner(st)), st.Mode().Perm(), fs.ErrPermission, path)
		}
	}
	return err
}

// errBusy tells that a lock is held.
var errBusy = errors.New("held by another process")

// lockShared opens and locks a shared file. Without wait it may fail with
// errBusy; with wait nobody holds the lock for long.
func lockShared(path string, wait bool) (*os.File, error) {
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	for {
		f, err := openShared(path)
		if err != nil {
			return nil, err
		}
		if err := flock(f, how); err != nil {
			_ = f.Close()
			return nil, err
		}
		// A lock on a file that somebody removed meanwhile locks nothing.
		if same(f, path) {
			return f, nil
		}
		_ = f.Close()
	}
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return errBusy
		default:
			return err
		}
	}
}

// same tells whether path still names the open file.
func same(f *os.File, path string) bool {
	a, err1 := f.Stat()
	b, err2 := os.Lstat(path)
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}

// held tells whether somebody holds the lock of a file. It asks by taking the
// lock for a moment in a way that only disturbs who wants it for itself, and
// that one tries again.
func held(path string) (bool, error) {
	f, err := openRead(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	err = flock(f, unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, errBusy) {
		return true, nil
	}
	return false, err
}

// writable tells why a file cannot be locked by us, nil when it can.
func writable(path string) error {
	if err := unix.Access(path, unix.R_OK|unix.W_OK); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError(path, err)
	}
	return nil
}

// waitFree blocks until nobody holds the lock. It cannot be interrupted and
// costs nothing while it waits.
func waitFree(path string) error {
	f, err := openRead(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return flock(f, unix.LOCK_SH)
}

// maxContent bounds what is read from a file that others write.
const maxContent = 16 << 10

// write replaces the content of a file that we hold.
func write(f *os.File, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(b, '\n'), 0)
	return err
}

// read gets the content of a shared file, false where it is none of ours.
func read(path string, v any) bool {
	f, err := openRead(path)
	if err != nil {
		return false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxContent))
	return err == nil && decode(b, v)
}

func decode(b []byte, v any) bool {
	var s struct {
		Schema int `json:"schema"`
	}
	return json.Unmarshal(b, &s) == nil && s.Schema == schema && json.Unmarshal(b, v) == nil
}

// parseCount reads a number from the beginning of a file, 0 where there is
// none.
func parseCount(b []byte) int64 {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	v, err := strconv.ParseInt(string(b[:n]), 10, 64)
	if err != nil {
		return 0
	}
	return v
}
