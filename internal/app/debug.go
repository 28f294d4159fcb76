package app

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// maxDebugLog is the size in bytes at which the debug log begins anew; one
// older file is kept beside it.
const maxDebugLog = 4 << 20

// DebugLogFile is where --debug writes.
func (e *Env) DebugLogFile() string { return filepath.Join(e.Paths.State, "debug.log") }

// OpenDebugLog writes every request from now on to DebugLogFile, which only its
// owner may read. Addresses come without secrets, and nothing of a body is
// written. The logger takes more lines; close ends the file.
func (e *Env) OpenDebugLog() (log *slog.Logger, end func() error, err error) {
	path := e.DebugLogFile()
	fail := func(err error) (*slog.Logger, func() error, error) {
		return nil, nil, fmt.Errorf("cannot write the debug log: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fail(err)
	}
	if info, err := os.Stat(path); err == nil && info.Size() > maxDebugLog {
		if err := os.Rename(path, path+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fail(err)
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fail(err)
	}
	if err := f.Chmod(0o600); err != nil {
		f.Close()
		return fail(err)
	}
	log = slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})).With("pid", os.Getpid())
	e.Debug = func(method, url string, status int, took time.Duration) {
		log.Debug("request", "method", method, "url", url, "status", status, "took", took.Round(time.Microsecond))
	}
	return log, f.Close, nil
}
