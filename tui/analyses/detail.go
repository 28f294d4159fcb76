package analyses

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
	"github.com/cytorun/cytorun/tui/widget"
)

// values are the parameter values of the analysis in the detail. Lists come
// without them.
type values struct {
	gen  nav.Gen
	key  string
	list []client.Value
	err  error
}

// valuesRead answers read.
type valuesRead struct {
	gen    nav.Gen
	key    string
	values []client.Value
	err    error
}

func (v *values) read(s *app.Session, a app.Analysis) tea.Cmd {
	if v.key == a.Key() && v.err == nil {
		return nil
	}
	gen, key := nav.NewGen(), a.Key()
	*v = values{gen: gen, key: key}
	return func() tea.Msg {
		ctx, cancel := within()
		defer cancel()
		list, err := s.Values(ctx, a)
		return valuesRead{gen, key, list, err}
	}
}

func (v *values) take(m valuesRead) {
	if m.gen == v.gen {
		v.list, v.err = m.values, m.err
	}
}

// lines tells all there is to know of the analysis under the cursor.
func (m *Screen) lines(width int) []string {
	if g := m.head(); g != nil {
		return m.groupLines(g, width)
	}
	a, ok := m.current()
	if !ok {
		return nil
	}
	t := style.Now()
	mark := m.marks.Of(a)
	s := a.State()
	f := widget.Facts{Width: width}
	title := a.Title()
	if mark.Starred() {
		title = "★ " + title
	}
	f.Title(title)
	f.AddStyled("state", style.Sign(s.Tone)+" "+s.Word, t.Tone(s.Tone))
	if quiet := a.Stuck(m.now); quiet > 0 {
		f.AddStyled("stuck", stuck(a, quiet)+"; the server may never know more", t.Warn)
	}
	f.Add("why", a.Reason())
	if why := a.FirstError(); why != a.Reason() {
		f.AddStyled("error", why, t.Bad)
	}
	if p := a.Progress(); s.Live && p >= 0 {
		f.Line(t.Faint.Render(text.Pad("progress", 11)) + widget.Progress(p, min(30, width-11)))
	}
	f.Add("launched", when(a.Created(), m.now)+" by "+a.Person())
	if d := a.Duration(m.now); d > 0 {
		f.Add("took", text.Duration(d))
	}
	if a.Run != nil {
		f.Add("image", a.Run.Image.Name)
	}
	f.Add("where", m.session.Where(a))
	if r := a.Run; r != nil {
		if res := r.Result; res != nil {
			f.Add("advice", res.Advice)
			if res.Annotations > 0 {
				f.Add("wrote", text.Plural(res.Annotations, "annotation"))
			}
			f.Add("used", app.Used(*r))
			for _, w := range res.Warnings {
				f.AddStyled("warning", w, t.Warn)
			}
			if res.Unreported != "" {
				f.AddStyled("not told", "the server does not know yet: "+res.Unreported, t.Warn)
			}
		}
		f.Add("asked", app.Asked(r.Resources))
		f.Add("note", r.Note)
		f.Add("group", r.Group)
	}
	if mark.Favorite {
		f.Add("star", "on the server")
	}
	if a.Job != nil && a.Job.DataDeleted {
		f.Add("results", "deleted on the server")
	}
	f.Add("my note", mark.Note)
	f.Add("tags", strings.Join(mark.Tags, ", "))
	f.Add("container", containerOf(a))
	f.Add("names", names(a))
	if m.about.key == a.Key() {
		m.parameters(&f)
	}
	return f.Lines
}

func (m *Screen) parameters(f *widget.Facts) {
	if m.about.err != nil {
		f.Add("values", m.about.err.Error())
		return
	}
	if len(m.about.list) == 0 {
		return
	}
	f.Head("parameters")
	for _, v := range m.about.list {
		shown := v.Text
		if len(v.Labels) > 0 {
			shown = strings.Join(v.Labels, ", ")
		}
		if shown == "" {
			shown = "(none)"
		}
		label := text.Pad(text.Line(v.Parameter), min(22, f.Width/2))
		f.Line(style.Now().Faint.Render(label) + " " + text.Truncate(text.Line(shown), max(f.Width-text.Width(label)-1, 1)))
	}
}

// groupLines tells of a group: how its analyses do, and what went wrong first.
func (m *Screen) groupLines(g *group, width int) []string {
	t := style.Now()
	s := g.state()
	f := widget.Facts{Width: width}
	f.Title(g.name())
	f.AddStyled("state", style.Sign(s.Tone)+" "+g.counts(), t.Tone(s.Tone))
	if p := g.progress(); p < 100 {
		f.Line(t.Faint.Render(text.Pad("ended", 11)) + widget.Progress(p, min(30, width-11)))
	}
	f.Add("launched", when(g.newest().Record.Created, m.now)+" by "+g.rows[0].Person())
	var took time.Duration
	for _, r := range g.rows {
		took += r.Duration(m.now)
	}
	if took > 0 {
		f.Add("took", text.Duration(took)+" together")
	}
	f.Add("group", g.id)
	f.Head("analyses")
	g.tell()
	for _, r := range g.rows {
		s := r.State()
		name := style.Sign(s.Tone) + " " + number(r.Analysis)
		if r.Mark.Starred() {
			name += " ★"
		}
		name = text.Pad(name, 9)
		said := s.Word
		if label := g.labels[r.ID]; label != "" {
			said = label + "  " + said
		}
		why := r.FirstError()
		if why == "" {
			why = r.Reason()
		}
		f.Line(t.Tone(s.Tone).Render(name) + " " + text.Truncate(text.Line(said+"  "+why), max(width-10, 1)))
	}
	return f.Lines
}

func started(a app.Analysis) time.Time {
	if a.Run != nil && !a.Run.Started.IsZero() {
		return a.Run.Started
	}
	return a.Created()
}

func when(t, now time.Time) string {
	if t.IsZero() {
		return "?"
	}
	return t.In(now.Location()).Format("Mon 2 Jan 15:04") + ", " + text.Ago(t, now)
}

func containerOf(a app.Analysis) string {
	if a.Run == nil {
		return ""
	}
	return a.Run.Algorithm.Container
}

// names are the words that commands know the analysis by.
func names(a app.Analysis) string {
	var n []string
	if a.Run != nil {
		n = append(n, a.Run.ID)
	}
	if id := a.JobID(); id != 0 {
		n = append(n, fmt.Sprintf("job:%d", id))
	}
	return strings.Join(n, ", ")
}
