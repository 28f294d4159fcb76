package report

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/logfile"
)

// What the server gets of a long log: its beginning and its end, in bytes.
const (
	logHead = 1 << 20
	logTail = 9 << 20
)

// logTimeout bounds the upload of a log over a slow link.
const logTimeout = 10 * time.Minute

// PrepareLog copies the log of a run as the server may have it: without the
// secrets, and of a long one only the beginning and the end. The copy has no
// name, so that nothing stays when we die; the caller closes it.
func PrepareLog(folder string, secrets []string) (copied *os.File, err error) {
	log, err := os.Open(filepath.Join(folder, runner.LogFile))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	st, err := log.Stat()
	if err != nil {
		return nil, err
	}
	f, err := nameless(folder)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	w := logfile.Redact(f, secrets)
	if _, err := io.Copy(w, logfile.Cap(log, st.Size(), logHead, logTail)); err != nil {
		return nil, fmt.Errorf("cannot prepare the log for the server: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("cannot prepare the log for the server: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return f, nil
}

// NoLog is what the server gets in place of a log that it may not have.
func NoLog(folder, why string) (*os.File, error) {
	f, err := nameless(folder)
	if err != nil {
		return nil, err
	}
	if _, err = io.WriteString(f, why+"\n"); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("cannot prepare the log for the server: %w", err)
	}
	return f, nil
}

// nameless is a file that is gone when it is closed.
func nameless(folder string) (*os.File, error) {
	f, err := os.CreateTemp(folder, ".log.*")
	if err != nil {
		return nil, fmt.Errorf("cannot prepare the log for the server: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
