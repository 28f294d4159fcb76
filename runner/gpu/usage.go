package gpu

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// UsageFile is the append-only log of a person's own use, in the folder of
// their state. Beside the leases lies a copy of it for all to read, under
// usageName. Where that folder is in memory a restart of the box takes the
// copies; a person's next run, or their next look at the use, brings theirs
// back.
const UsageFile = "usage.jsonl"

// usageName is the copy of one user's log. Only they can write to it, so that
// nobody puts anything on another's account.
func usageName(uid int) string { return "usage-" + strconv.Itoa(uid) + ".jsonl" }

// Record is one run's use of the box.
type Record struct {
	Schema    int       `json:"schema"`
	Run       string    `json:"run"`
	Host      string    `json:"host,omitempty"` // a home may be that of several boxes
	User      string    `json:"user"`
	Algorithm string    `json:"algorithm"`
	GPUs      []string  `json:"gpus,omitempty"` // UUIDs
	Started   time.Time `json:"started"`
	Ended     time.Time `json:"ended"`
}

// LogUse appends a record to the person's own log in the folder own, and to its
// copy beside the leases. Host and user are filled in.
func LogUse(own string, r Record) error {
	r.Schema, r.Host, r.User = schema, runner.Host(), userName(os.Getuid())
	r.Started, r.Ended = r.Started.UTC().Truncate(time.Millisecond), r.Ended.UTC().Truncate(time.Millisecond)
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	f, err := os.OpenFile(filepath.Join(own, UsageFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		defer f.Close()
		_ = flock(f, unix.LOCK_EX) // while the copy is made, where the disk knows locks
		_, err = f.Write(line)
	}
	if err = errors.Join(err, share(own, line)); err != nil {
		return fmt.Errorf("cannot note who used the box: %w", err)
	}
	return nil
}

// share brings this user's copy beside the leases up to date: line is what was
// just added to the log in own. A copy that is missing is made from all of it.
func share(own string, line []byte) error {
	dir, err := openDir()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, usageName(os.Getuid()))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		// Under another name first: who reads meanwhile finds all or nothing.
		var lines []byte
		if lines, err = ofThisBox(own); err != nil {
			return err
		}
		return replaceShared(path, lines)
	}
	if err != nil {
		return fileError(path, err)
	}
	if f, err = plain(f, path); err != nil {
		return err
	}
	_, err = f.Write(line)
	return errors.Join(err, f.Close())
}

// ofThisBox reads the lines of a person's own log that are of this box.
func ofThisBox(own string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(own, UsageFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []byte
	for line := range bytes.Lines(b) {
		if rs := parseUsage(line); len(rs) > 0 && rs[0].here() {
			out = append(out, line...)
		}
	}
	return out, nil
}

func (r Record) here() bool { return r.Host == "" || r.Host == runner.Host() }

// replaceShared writes a file that all may read and only we may write.
func replaceShared(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".usage-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil { // whatever the umask
		return err
	}
	return os.Rename(f.Name(), path)
}

// RestoreUse puts this user's use back beside the leases, where a restart of the
// box has taken it.
func RestoreUse(own string) error {
	dirs := runner.LeaseDirs()
	for _, dir := range dirs {
		if _, err := os.Lstat(filepath.Join(dir, usageName(os.Getuid()))); err == nil {
			return nil
		}
	}
	lines, err := ofThisBox(own)
	if err != nil || len(lines) == 0 {
		return err
	}
	return share(own, nil)
}

// ReadUsage reads the records of all users, and of the person's own log in the
// folder own, that reach beyond since, oldest first, each once. Lines that are
// none are left out. Whose a record is tells the owner of its file. A file that
// cannot be read is an error beside what the others say.
func ReadUsage(own string, since time.Time) ([]Record, error) {
	var all []Record
	var failed error
	seen := map[string]bool{}
	add := func(b []byte, user string) {
		for _, r := range parseUsage(b) {
			r.User = user
			key := r.Run + " " + r.Started.String()
			if !seen[key] && r.here() && r.Ended.After(since) {
				seen[key] = true
				all = append(all, r)
			}
		}
	}
	b, err := os.ReadFile(filepath.Join(own, UsageFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		failed = err
	}
	add(b, userName(os.Getuid()))
	for _, dir := range runner.LeaseDirs() {
		for _, name := range fileNames(dir) {
			if !strings.HasPrefix(name, "usage-") || !strings.HasSuffix(name, ".jsonl") {
				continue
			}
			b, user, err := readUsageFile(filepath.Join(dir, name))
			if err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			add(b, user)
		}
	}
	slices.SortStableFunc(all, func(a, b Record) int { return a.Started.Compare(b.Started) })
	if failed != nil {
		failed = fmt.Errorf("cannot read all of who used the box: %w", failed)
	}
	return all, failed
}

// mostUsage bounds what is read of one user's use.
const mostUsage = 64 << 20

func readUsageFile(path string) (content []byte, user string, err error) {
	f, err := openRead(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	content, err = io.ReadAll(io.LimitReader(f, mostUsage))
	return content, userName(owner(st)), err
}

func parseUsage(b []byte) []Record {
	var rs []Record
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, max(maxContent, len(b)+1))
	for lines.Scan() {
		var r Record
		if !decode(lines.Bytes(), &r) || r.Run == "" || r.Started.IsZero() || r.Ended.Before(r.Started) {
			continue
		}
		r.Run, r.User, r.Algorithm = text.Line(r.Run), text.Line(r.User), text.Line(r.Algorithm)
		for i := range r.GPUs {
			r.GPUs[i] = text.Line(r.GPUs[i])
		}
		rs = append(rs, r)
	}
	return rs
}
