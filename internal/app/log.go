package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cytorun/cytorun/client"
)

// Log is where the log of an analysis lies on this box.
type Log struct {
	Path string
	Live bool // it may still grow
}

// maxServerLog bounds what is fetched of a log that ran elsewhere: servers keep
// it as one JSON string.
const maxServerLog = 256 << 20

// OpenLog finds the log of an analysis: the run's own file, or the copy that
// the server keeps, fetched once.
func (s *Session) OpenLog(ctx context.Context, a Analysis) (Log, error) {
	if a.Run != nil {
		l := Log{Path: filepath.Join(a.Run.Folder, "output.log"), Live: a.State().Live}
		if _, err := os.Stat(l.Path); err == nil || l.Live {
			return l, nil
		}
	}
	if a.JobID() == 0 || a.Run != nil && a.Run.Started.IsZero() {
		return Log{}, fmt.Errorf("no log of %s: %w, it ended before its program started: %s", a.Title(), client.ErrNotFound, a.Reason())
	}
	store, ok := s.Server.(client.LogStore)
	if !ok {
		return Log{}, fmt.Errorf("cannot read the log of %s: %w", a.Title(), client.Unsupported(s.Server, client.KeepsLogs))
	}
	path := filepath.Join(s.Env.Paths.Cache, "logs", hashed(s.Profile.URL), idText(a.JobID())+".log")
	if _, err := os.Stat(path); err == nil && !a.State().Live {
		return Log{Path: path}, nil
	}
	r, err := store.JobLog(ctx, a.JobID())
	if errors.Is(err, client.ErrNotFound) {
		if a.State().Live {
			return Log{}, fmt.Errorf("%s has no log on the server yet: it runs elsewhere, and its log comes when it has ended", a.Title())
		}
		return Log{}, fmt.Errorf("no log of %s: %w on the server", a.Title(), client.ErrNotFound)
	}
	if err != nil {
		return Log{}, err
	}
	defer r.Close()
	return Log{Path: path}, writeLog(path, io.LimitReader(r, maxServerLog))
}

// writeLog keeps a log for its owner only: programs print their arguments.
func writeLog(path string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".log-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return fmt.Errorf("cannot keep the log in %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// hashed makes a file name of any text.
func hashed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}
