package tui

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	tea "charm.land/bubbletea/v2"
)

// crash is a fault of ours that was caught.
type crash struct {
	cause any
	stack []byte
}

func newCrash(cause any) *crash { return &crash{cause: cause, stack: debug.Stack()} }

// guard catches panics in a command and in those that it batches, so that the
// terminal is given back in order. (A tea.Sequence cannot be looked into; there
// the renderer's own rescue is left.)
func (r *root) guard(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer func() {
			if v := recover(); v != nil {
				msg = newCrash(v)
			}
		}()
		msg = cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = r.guard(batch[i])
			}
		}
		return msg
	}
}

// save writes the stack into folder and makes the error that the user reads.
func (c *crash) save(folder, version string) error {
	path := filepath.Join(folder, "crash-"+time.Now().UTC().Format("20060102-150405")+".log")
	what := fmt.Sprintf("cytorun %s\n%v\n\n%s", version, c.cause, c.stack)
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(what), 0o600)
	}
	if err != nil {
		return fmt.Errorf("the screens failed by our own fault (%v), and the details could not be saved: %w; analyses go on without them", c.cause, err)
	}
	return fmt.Errorf("the screens failed by our own fault: %v; the details are in %s; analyses go on without them, 'cytorun' opens the screens again", c.cause, path)
}
