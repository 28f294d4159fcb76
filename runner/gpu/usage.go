package gpu

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// UsageFile is the append-only log of who used the box, beside the leases and,
// for a person's own runs, in the folder of their state: what lies beside the
// leases is lost when the box restarts.
const UsageFile = "usage.jsonl"

// Record is one run's use of the box.
type Record struct {
	Schema    int       `json:"schema"`
	Run       string    `json:"run"`
	User      string    `json:"user"`
	Algorithm string    `json:"algorithm"`
	GPUs      []string  `json:"gpus,omitempty"` // UUIDs
	Started   time.Time `json:"started"`
	Ended     time.Time `json:"ended"`
}

// LogUse appends a record to the box's log and to the person's own in the
// folder own. User is filled in.
func LogUse(own string, r Record) error {
	r.Schema, r.User = schema, userName(os.Getuid())
	r.Started, r.Ended = r.Started.UTC().Truncate(time.Millisecond), r.Ended.UTC().Truncate(time.Millisecond)
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	var failed error
	if dir, err := openDir(); err == nil {
		f, err := openShared(filepath.Join(dir, UsageFile))
		failed = errors.Join(failed, appendTo(f, err, line))
	}
	if own != "" {
		f, err := os.OpenFile(filepath.Join(own, UsageFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		failed = errors.Join(failed, appendTo(f, err, line))
	}
	if failed != nil {
		return fmt.Errorf("cannot note who used the box: %w", failed)
	}
	return nil
}

// appendTo writes a line in one piece, so that two writers never mix.
func appendTo(f *os.File, err error, line []byte) error {
	if err != nil {
		return err
	}
	if _, err = unix.FcntlInt(f.Fd(), unix.F_SETFL, unix.O_APPEND); err == nil {
		_, err = f.Write(line)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// ReadUsage reads the records of both logs that reach beyond since, oldest
// first, each once. Lines that are none are left out: everybody may write
// there.
func ReadUsage(own string, since time.Time) ([]Record, error) {
	var all []Record
	seen := map[string]bool{}
	for _, dir := range append(runner.LeaseDirs(), own) {
		if dir == "" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, UsageFile))
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return nil, fmt.Errorf("cannot read who used the box: %w", err)
		}
		for _, r := range parseUsage(b) {
			key := r.Run + " " + r.Started.String()
			if !seen[key] && r.Ended.After(since) {
				seen[key] = true
				all = append(all, r)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Record) int { return a.Started.Compare(b.Started) })
	return all, nil
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

// UsageRow is what one group of records used.
type UsageRow struct {
	Key  []string // one for each word of by
	Runs int
	// Time is how long the runs worked, and GPUTime the same for each GPU that
	// they held.
	Time, GPUTime time.Duration
}

// SumUsage adds records up by "user", "gpu" and "algorithm", in any order, most
// GPU time first. Time before since does not count. A run with two GPUs counts
// for each of them where they are told apart.
func SumUsage(records []Record, by []string, since time.Time) ([]UsageRow, error) {
	for _, word := range by {
		if !slices.Contains([]string{"user", "gpu", "algorithm"}, word) {
			return nil, fmt.Errorf("usage cannot be told by %q; say user, gpu or algorithm", text.Line(word))
		}
	}
	rows := map[string]*UsageRow{}
	for _, r := range records {
		took := r.Ended.Sub(later(r.Started, since))
		if took < 0 {
			continue
		}
		shares := []string{""}
		if slices.Contains(by, "gpu") && len(r.GPUs) > 0 {
			shares = r.GPUs
		}
		for _, uuid := range shares {
			var key []string
			for _, word := range by {
				key = append(key, map[string]string{"user": r.User, "algorithm": r.Algorithm, "gpu": cmp.Or(uuid, "none")}[word])
			}
			name := strings.Join(key, "\x00")
			row := rows[name]
			if row == nil {
				row = &UsageRow{Key: key}
				rows[name] = row
			}
			row.Runs++
			row.Time += took
			if uuid != "" {
				row.GPUTime += took
			} else {
				row.GPUTime += took * time.Duration(len(r.GPUs))
			}
		}
	}
	out := make([]UsageRow, 0, len(rows))
	for _, row := range rows {
		out = append(out, *row)
	}
	slices.SortFunc(out, func(a, b UsageRow) int {
		return cmp.Or(cmp.Compare(b.GPUTime, a.GPUTime), cmp.Compare(b.Time, a.Time), slices.Compare(a.Key, b.Key))
	})
	return out, nil
}
