package logview

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner/logfile"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/widget"
)

// prompt is the line below the log while something is typed.
type prompt struct {
	kind  promptKind
	input widget.Input
}

type promptKind int

const (
	noPrompt promptKind = iota
	searchPrompt
	filterPrompt
	savePrompt
)

func newPrompt() prompt { return prompt{input: newInput()} }

func (p *prompt) ask(kind promptKind, text string) {
	p.kind, p.input.Placeholder = kind, ""
	p.input.SetValue(text)
	p.input.CursorEnd()
	p.input.Focus()
}

func (p *prompt) stop() {
	p.kind = noPrompt
	p.input.Blur()
}

func (p *prompt) label() string {
	switch p.kind {
	case searchPrompt:
		return "search (text or /regexp/): "
	case filterPrompt:
		return "only lines with (empty: all): "
	case savePrompt:
		return "save to: "
	}
	return ""
}

func (m *Screen) promptKey(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		m.prompt.stop()
		return nil
	case "enter":
	default:
		m.prompt.input.Type(k)
		return nil
	}
	typed := m.prompt.input.Value()
	switch m.prompt.kind {
	case searchPrompt:
		return m.startSearch(typed)
	case filterPrompt:
		return m.startFilter(typed)
	case savePrompt:
		return m.save(strings.TrimSpace(typed))
	}
	return nil
}

// startSearch looks from the top of the screen on, or from the end of a log
// that was followed backwards: the news are what one looks for there. Nothing typed goes
// on with the last search, as in other pagers.
func (m *Screen) startSearch(typed string) tea.Cmd {
	if typed == "" {
		m.prompt.stop()
		if m.find.pattern == nil {
			return nil
		}
		return m.search(false)
	}
	p, err := pattern(typed)
	if err != nil {
		return nav.Fail(err) // the text stays to be mended
	}
	m.prompt.stop()
	m.find.pattern, m.find.text, m.find.at = p, typed, -1
	return m.search(m.follow && m.atEnd)
}

// filterContext is how many lines are shown around each line that matches.
const filterContext = 1

func (m *Screen) startFilter(typed string) tea.Cmd {
	if typed == "" {
		m.prompt.stop()
		m.view.Filter, m.view.Context, m.find.filterText = nil, 0, ""
		return m.again()
	}
	p, err := pattern(typed)
	if err != nil {
		return nav.Fail(err)
	}
	m.prompt.stop()
	m.view.Filter, m.view.Context, m.find.filterText = p, filterContext, typed
	return m.again()
}

// fileName is what a saved log is called unless one types another name.
func (m *Screen) fileName() string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, m.analysis.Title())
	return strings.Trim(name, "-.") + ".log"
}

// saved answers save.
type saved struct {
	screen *Screen
	path   string
	err    error
}

func (m *Screen) save(path string) tea.Cmd {
	if path == "" {
		return nil
	}
	log := m.log
	return func() tea.Msg { return saved{m, path, saveLog(log, path)} }
}

// saveLog copies the log without the keys in it into a new file for its owner
// only.
func saveLog(log *logfile.Log, path string) error {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return err
		}
		path = filepath.Join(home, rest)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if os.IsExist(err) {
		return fmt.Errorf("cannot save to %s: it is there already; choose another name", path)
	}
	if err != nil {
		return fmt.Errorf("cannot save the log: %w", err)
	}
	w := app.NewRedactor(f)
	_, err = io.Copy(w, log.Bytes(0, log.Size()))
	if e := w.Close(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("cannot save the log to %s: %w", path, err)
	}
	return nil
}

func (p *prompt) saved(msg saved) tea.Cmd {
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	p.stop()
	return nav.Say("saved " + msg.path)
}
