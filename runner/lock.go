package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// Locks of a run folder are flocks: the kernel frees them when their holder
// dies, whatever killed it.

// ErrLocked tells that another process holds a lock.
var ErrLocked = errors.New("held by another process")

// TakeLock takes a lock of a run folder for this process, without waiting
// beyond the moment that another process needs to look at it (see Held).
func TakeLock(path string) (*flock.Flock, error) {
	l := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
	for try := 0; ; try++ {
		ok, err := l.TryLock()
		if err != nil {
			return nil, writeError(path, err)
		}
		if ok {
			return l, nil
		}
		if try == 20 {
			return nil, fmt.Errorf("%s is %w", path, ErrLocked)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// toTheEnd refers to locks that nobody closes: a file that nothing refers to is
// closed by the garbage collector, and its lock goes with it.
var toTheEnd struct {
	sync.Mutex
	locks []*flock.Flock
}

// HoldToTheEnd keeps a lock as long as this process lives.
func HoldToTheEnd(l *flock.Flock) {
	toTheEnd.Lock()
	defer toTheEnd.Unlock()
	toTheEnd.locks = append(toTheEnd.locks, l)
}

// Held tells whether a process holds the lock. A file that is not there is not
// held.
func Held(path string) bool {
	l := flock.New(path, flock.SetFlag(os.O_RDONLY))
	ok, err := l.TryRLock()
	if ok {
		_ = l.Close()
	}
	return !ok && err == nil
}

// WaitFree blocks until nobody holds the lock. It cannot be interrupted and
// costs nothing while it waits.
func WaitFree(path string) error {
	l := flock.New(path, flock.SetFlag(os.O_RDONLY))
	if err := l.RLock(); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return l.Close()
}

// Supervised tells whether a living supervisor looks after a run of this box. A
// process that is just dying may still hold the lock.
func Supervised(folder string) bool {
	if !Held(filepath.Join(folder, LockFile)) {
		return false
	}
	pid, start, ok := Holder(folder)
	if !ok {
		return true
	}
	// A supervisor whose first thread has ended was killed, and goes in a moment.
	p, err := ReadProc(pid)
	return err == nil && p.Start == start && p.State != 'Z' && p.State != 'X'
}

// Holder names the supervisor of a run: the pid and start time that it wrote
// into its lock.
func Holder(folder string) (pid int, start string, ok bool) {
	b, err := os.ReadFile(filepath.Join(folder, LockFile))
	if err != nil {
		return 0, "", false
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0, "", false
	}
	pid, err = strconv.Atoi(f[0])
	return pid, f[1], err == nil && pid > 0
}
