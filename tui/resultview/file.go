package resultview

import (
	"context"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// lookWithin bounds the fetching of the beginning of a file.
const lookWithin = time.Minute

// preview is the beginning of the file under the cursor.
type preview struct {
	gen    nav.Gen
	cancel context.CancelFunc
	name   string
	file   app.FilePreview
	err    error
	loaded bool
	top    int
	rows   int // lines in all, as they were drawn last
}

// previewRead answers a look into a file.
type previewRead struct {
	gen  nav.Gen
	file app.FilePreview
	err  error
}

func (p *preview) stop() {
	if p.cancel != nil {
		p.cancel()
	}
}

func (p *preview) clear() {
	p.stop()
	*p = preview{}
}

func (p *preview) shown() bool { return p.gen != 0 }

func (p *preview) take(msg previewRead) {
	if msg.gen == p.gen {
		p.file, p.err, p.loaded = msg.file, msg.err, true
	}
}

// scroll moves the preview; it tells whether the key was for it.
func (p *preview) scroll(k tea.KeyPressMsg) bool {
	if !p.loaded {
		return false
	}
	switch k.String() {
	case "ctrl+d":
		p.top += 10
	case "ctrl+u":
		p.top -= 10
	default:
		return false
	}
	return true
}

func (p *preview) help() []key.Binding {
	return []key.Binding{
		keymap.When(p.loaded, keymap.Bind("ctrl+d", "preview down", "ctrl+d")), keymap.When(p.loaded, keymap.Bind("ctrl+u", "preview up", "ctrl+u")),
	}
}

// view draws what fits.
func (p *preview) view(width, height int) string {
	t := style.Now()
	title := t.Bold.Render(text.Truncate(text.Line(p.name), width))
	var lines []string
	switch {
	case !p.loaded:
		lines = []string{t.Faint.Render("reading")}
	case p.err != nil:
		lines = widget.Paragraph(p.err.Error(), width, 0)
	case p.file.Binary:
		lines = []string{t.Faint.Render("not text; s saves it")}
	case p.file.Table != nil:
		lines = table(p.file.Table, width)
	default:
		for _, l := range p.file.Text {
			lines = append(lines, text.Truncate(text.Line(l), width))
		}
	}
	if p.file.Cut {
		lines = append(lines, t.Faint.Render("… there is more; s saves all of it"))
	}
	p.rows = len(lines)
	p.top = max(min(p.top, len(lines)-height+1), 0)
	return widget.Fit(title+"\n"+strings.Join(lines[p.top:], "\n"), width, height)
}

// table aligns rows of a CSV file.
func table(rows [][]string, width int) []string {
	const most = 24
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = min(max(widths[i], text.Width(text.Line(c))), most)
		}
	}
	out := make([]string, len(rows))
	for n, r := range rows {
		var b strings.Builder
		for i, c := range r {
			b.WriteString(text.Pad(text.Line(c), widths[i]) + "  ")
			if text.Width(b.String()) > width {
				break
			}
		}
		out[n] = text.Truncate(strings.TrimRight(b.String(), " "), width)
		if n == 0 {
			out[n] = style.Now().Head.Render(out[n])
		}
	}
	return out
}

// file is the one under the cursor, and the analysis that wrote it.
func (m *Screen) file() (*app.ResultFile, int) {
	if i := m.table.Cursor(); i >= 0 && i < len(m.lines) {
		return m.lines[i].file, m.lines[i].at
	}
	return nil, 0
}

// fileKey does something with the file under the cursor.
func (m *Screen) fileKey(k tea.KeyPressMsg) tea.Cmd {
	f, _ := m.file()
	if f == nil {
		return nil
	}
	switch {
	case keymap.Is(k, look):
		return m.look(*f)
	case keymap.Is(k, saveKey):
		m.prompt.ask(savePrompt, "save to:", fileName(f.Name))
		m.prompt.file = *f
	case keymap.Is(k, sumKey):
		return m.sum(*f)
	case keymap.Is(k, keymap.Copy) && f.SHA256 != "":
		return nav.Send(nav.Copy{Text: f.SHA256, What: "the checksum"})
	}
	return nil
}

// look fetches the beginning of a file.
func (m *Screen) look(f app.ResultFile) tea.Cmd {
	m.preview.clear()
	ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
	gen, s := nav.NewGen(), m.session
	m.preview = preview{gen: gen, cancel: cancel, name: f.Name}
	m.resize()
	return func() tea.Msg {
		defer cancel()
		p, err := s.PreviewFile(ctx, f)
		return previewRead{gen, p, err}
	}
}

// summed brings the checksum of a file.
type summed struct {
	gen  nav.Gen
	at   int
	id   int64
	sum  string
	name string
	err  error
}

// sum reads a file for its checksum.
func (m *Screen) sum(f app.ResultFile) tea.Cmd {
	_, at := m.file()
	gen, s := m.load.gen, m.session
	read := func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		sum, err := s.FileSum(ctx, f)
		return summed{gen, at, int64(f.ID), sum, f.Name, err}
	}
	return tea.Batch(read, nav.Say("reading "+text.Line(f.Name)+", "+text.Bytes(f.Size)))
}

func (m *Screen) tookSum(msg summed) tea.Cmd {
	if msg.gen != m.load.gen {
		return nil
	}
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	if r := m.load.files[msg.at]; r != nil {
		for i := range r.files {
			if int64(r.files[i].ID) == msg.id {
				r.files[i].SHA256 = msg.sum
			}
		}
	}
	m.arrange()
	return nav.Say(fmt.Sprintf("sha256 of %s: %s", text.Line(msg.name), msg.sum))
}
