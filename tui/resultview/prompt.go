package resultview

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// prompt takes the place of the parts while the name of a file is typed.
type prompt struct {
	kind  promptKind
	label string
	input widget.Input
	file  app.ResultFile
}

type promptKind int

const (
	noPrompt promptKind = iota
	savePrompt
	exportPrompt
)

func (p *prompt) ask(kind promptKind, label, value string) {
	*p = prompt{kind: kind, label: label, input: widget.NewInput("")}
	p.input.SetValue(value)
	p.input.CursorEnd()
	p.input.Focus()
}

func (p *prompt) view(width int) string {
	label := " " + p.label + " "
	p.input.SetWidth(max(width-text.Width(label)-1, 4))
	return text.Truncate(style.Now().Accent.Render(label)+p.input.View(), width)
}

// fileName is the name of a server's file as one of this box.
func fileName(s string) string {
	s = filepath.Base(strings.ReplaceAll(text.Line(s), "\\", "/"))
	if s = strings.TrimLeft(s, ". "); s == "" || s == "/" {
		return "result"
	}
	return s
}

// askExport asks where to write the annotations.
func (m *Screen) askExport() {
	name := "results"
	if len(m.analyses) == 1 {
		name = strings.Map(func(r rune) rune {
			if r == ' ' || r == '#' || r == '/' {
				return '-'
			}
			return r
		}, fileName(m.analyses[0].Title()))
	}
	m.prompt.ask(exportPrompt, "write to (.csv .json .geojson):", name+".csv")
}

// written tells that a file was written.
type written struct {
	gen nav.Gen
	say string
	err error
}

func (m *Screen) answerPrompt(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		m.prompt.kind = noPrompt
		return nil
	case "enter":
	default:
		m.prompt.input.Type(k)
		return nil
	}
	path := strings.TrimSpace(m.prompt.input.Value())
	if path == "" {
		return nil
	}
	s, gen := m.session, m.load.gen
	if m.prompt.kind == savePrompt {
		f := m.prompt.file
		m.prompt.kind = noPrompt
		save := func() tea.Msg {
			ctx, cancel := context.WithTimeout(context.Background(), within)
			defer cancel()
			sum, err := s.SaveFile(ctx, f, path)
			return written{gen, fmt.Sprintf("saved %s, sha256 %s", path, sum), err}
		}
		return tea.Batch(save, nav.Say("saving "+text.Line(f.Name)))
	}
	return m.export(s, gen, path)
}

// export writes the annotations: the sums as they are on the screen, or every shape
// as GeoJSON.
func (m *Screen) export(s *app.Session, gen nav.Gen, path string) tea.Cmd {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			path = filepath.Join(home, rest)
		}
	}
	var all []app.DrawnOf
	for i, d := range m.load.drawn {
		if d != nil && d.err == nil {
			all = append(all, app.DrawnOf{Analysis: m.analyses[i], Drawn: d.drawn})
		}
	}
	analyses, image, term := m.analyses, m.by.image(), m.by.term()
	var write func(*os.File) error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		write = func(f *os.File) error { return app.WriteDrawnCSV(f, all, image, term) }
	case ".json":
		write = func(f *os.File) error { return app.WriteDrawnJSON(f, all, image, term) }
	case ".geojson":
		write = func(f *os.File) error {
			ctx, cancel := context.WithTimeout(context.Background(), within)
			defer cancel()
			_, err := s.WriteGeoJSON(ctx, f, analyses)
			return err
		}
	default:
		return nav.Fail(fmt.Errorf("cannot tell the format of %q: end its name with .csv, .json or .geojson", path))
	}
	if len(all) < len(analyses) && strings.ToLower(filepath.Ext(path)) != ".geojson" {
		return nav.Say("the annotations are still being read; try again in a moment")
	}
	m.prompt.kind = noPrompt
	return func() tea.Msg { return written{gen, "wrote " + path, create(path, write)} }
}

// create writes a new file, or nothing.
func create(path string, write func(*os.File) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("cannot write %s: it is there already; choose another name", path)
	}
	if err != nil {
		return fmt.Errorf("cannot write the results: %w", err)
	}
	err = write(f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}

func (p *prompt) written(msg written) tea.Cmd {
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	return nav.Say(msg.say)
}
