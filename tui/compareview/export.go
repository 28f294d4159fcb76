package compareview

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// exporter asks for the name of a file; its ending says the format.
type exporter struct {
	open  bool
	input widget.Input
}

// formats are the endings and what they mean.
var formats = map[string]string{".csv": "csv", ".json": "json", ".md": "md", ".tex": "latex", ".txt": "table"}

func newExporter() exporter {
	return exporter{input: widget.NewInput("name.csv, .json, .md, .tex or .txt")}
}

func (e *exporter) start(now time.Time) {
	e.open = true
	e.input.SetValue("comparison-" + now.Format("20060102-150405") + ".csv")
	e.input.CursorEnd()
	e.input.Focus()
}

func (e *exporter) stop() {
	e.open = false
	e.input.Blur()
}

// written answers the writing of a file.
type written struct {
	path string
	err  error
}

func (e *exporter) key(k tea.KeyPressMsg, t compare.Table, baseline int) tea.Cmd {
	switch k.String() {
	case "esc":
		e.stop()
		return nil
	case "enter":
	default:
		e.input.Type(k)
		return nil
	}
	path := strings.TrimSpace(e.input.Value())
	format, ok := formats[strings.ToLower(filepath.Ext(path))]
	if !ok {
		return nav.Fail(fmt.Errorf("cannot tell the format of %q: end its name with .csv, .json, .md, .tex or .txt", path))
	}
	return func() tea.Msg { return written{path, write(path, format, t, baseline)} }
}

// write makes a new file; one that is there stays as it is.
func write(path, format string, t compare.Table, baseline int) error {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return err
		}
		path = filepath.Join(home, rest)
	}
	var b bytes.Buffer
	if err := t.Export(&b, format, baseline); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if os.IsExist(err) {
		return fmt.Errorf("cannot write %s: it is there already; choose another name", path)
	}
	if err != nil {
		return fmt.Errorf("cannot write the comparison: %w", err)
	}
	if _, err := f.Write(b.Bytes()); err != nil {
		f.Close()
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return f.Close()
}

// done closes the question once the file is there; on a failure the name stays
// to be changed.
func (e *exporter) done(msg written) tea.Cmd {
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	e.stop()
	return nav.Say("wrote " + msg.path)
}

func (e *exporter) view(width int) string {
	e.input.SetWidth(max(width-18, 4))
	return text.Truncate(style.Now().Accent.Render(" write to file: ")+e.input.View(), width)
}
