package paramform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
)

// stage is how far a launch has come.
type stage int

const (
	filling   stage = iota // nothing was asked for
	checking               // the checks before the launch run
	asking                 // they found something that a person should see
	launching              // the run is being made
)

// within bounds one request of this screen.
const within = 60 * time.Second

// algorithmRead answers read.
type algorithmRead struct {
	gen       nav.Gen
	algorithm client.Algorithm
	err       error
}

// read reads all of the algorithm: a list lacks the parameters that the server
// fills and the limits that it does not keep.
func (m *Screen) read() tea.Cmd {
	gen, s, id := nav.NewGen(), m.session, m.algorithm.ID
	m.reading = gen
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		a, err := s.Algorithm(ctx, idText(id))
		return algorithmRead{gen, a, err}
	}
}

func (m *Screen) wasRead(msg algorithmRead) tea.Cmd {
	if msg.gen != m.reading {
		return nil
	}
	m.reading, m.readErr = 0, msg.err
	if msg.err != nil {
		if m.whole { // a rerun knows the algorithm as it was
			return nil
		}
		return tea.Batch(nav.Fail(msg.err), nav.Send(nav.Link{Err: msg.err}))
	}
	if m.own != nil && m.own.Descriptor != nil {
		return nil // the person's own file counts
	}
	touched := len(m.changed()) > 0
	m.whole = true
	m.take(msg.algorithm)
	if !touched && m.edit == nil {
		m.cursor = m.firstToFill()
		m.told = m.here()
		m.detail.Follow()
		m.scroll()
	}
	return m.loadLists()
}

// checked answers check.
type checked struct {
	gen     nav.Gen
	values  []client.Value
	request []app.LaunchRequest
	checks  []app.Check
	// question is what to ask although nothing is wrong; empty for nothing.
	question string
	err      error
}

// launch judges the form and starts the checks. Nothing leaves this box before
// every value is valid.
func (m *Screen) launch() tea.Cmd {
	if m.stage != filling {
		return nil
	}
	m.strict, m.failure = true, nil
	m.relayout()
	if errs := m.errors(); len(errs) > 0 {
		m.goTo(errs[0])
		return tea.Batch(m.rest.Move(), nav.Send(nav.Toast{Text: m.needLook(errs), Tone: app.Warn}))
	}
	switch {
	case m.drafts.reading != 0: // it also tells which GPUs
		return nav.Say("the last runs are still being read; press ctrl+s again in a moment")
	case m.reading != 0 && !m.whole:
		return nav.Say("the algorithm is still being read from the server; press ctrl+s again in a moment")
	case !m.whole:
		return tea.Batch(m.read(), nav.Say("reading the algorithm from the server again; press ctrl+s when it is there"))
	}
	gen, s, r := nav.NewGen(), m.session, m.launchRequest()
	several, zip, size, group := m.several, m.sideBySide(), m.splitSize(), m.newGroup()
	split, _ := splitParameter(m.algorithm)
	existing := m.existing()
	m.stage, m.wait, m.checks = checking, gen, nil
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		values, err := s.Fill(ctx, r.Algorithm, r.Values, nil) // names become ids
		if err != nil {
			return checked{gen: gen, err: err}
		}
		// Fill gives what is missing its default, also what a sweep sets.
		values = slices.DeleteFunc(values, func(v client.Value) bool { return several.has(v.Parameter) })
		r.Values = values
		all, err := requests(r, several, zip, split.ID, size, group)
		if err != nil {
			return checked{gen: gen, err: err}
		}
		if app.PerImage(r.Algorithm) { // before anything is said of their jobs
			if err := s.Check(ctx, all...); err != nil {
				return checked{gen: gen, err: err}
			}
		}
		all, jobs, err := settle(ctx, s, all, existing)
		if err != nil {
			return checked{gen: gen, err: err}
		}
		question, asked := whatToAsk(s, all, several)
		asked = append(asked, jobs...)
		return checked{gen, values, all, append(asked, s.Preflight(ctx, all[0])...), question, nil}
	}
}

// settle decides about images that have a job already, and says so.
func settle(ctx context.Context, s *app.Session, all []app.LaunchRequest, how string) ([]app.LaunchRequest, []app.Check, error) {
	existing, err := s.Existing(ctx, all)
	if err != nil || len(existing) == 0 {
		return all, nil, err
	}
	settled, err := app.Settle(all, existing, how)
	if err != nil {
		return nil, nil, err
	}
	c := app.Check{Name: "jobs", OK: true, Warn: true, Text: fmt.Sprintf("%d of %d images have a job already and are skipped: %s", len(existing), len(all), existing[0])}
	if how == app.RedoExisting {
		c.Text = fmt.Sprintf("%d of %d images have a job already; what it wrote on the server is deleted: %s", len(existing), len(all), existing[0])
	}
	if len(existing) > 1 {
		c.Text += " …"
	}
	return settled, []app.Check{c}, nil
}

// needLook names the fields that prevent a launch, or the first of them.
func (m *Screen) needLook(errs []spot) string {
	label := func(s spot) string { return text.Line(m.field(s).Parameter.Label()) }
	if len(errs) == 1 {
		for _, p := range m.problems(errs[0]) {
			if !p.Warning {
				return label(errs[0]) + ": " + p.Message
			}
		}
	}
	const named = 3
	var names []string
	for _, s := range errs[:min(len(errs), named)] {
		names = append(names, label(s))
	}
	if len(errs) > named {
		names = append(names, "…")
	}
	return fmt.Sprintf("%d fields need a look: %s; n goes to the next", len(errs), strings.Join(names, ", "))
}

// errors are the fields that prevent a launch.
func (m *Screen) errors() []spot {
	var out []spot
	for _, s := range m.spots {
		if slices.ContainsFunc(m.field(s).Problems, func(p forms.Problem) bool { return !p.Warning }) {
			out = append(out, s)
		}
	}
	return out
}

func (m *Screen) wereChecked(msg checked) tea.Cmd {
	if msg.gen != m.wait || m.stage != checking {
		return nil
	}
	m.stage, m.wait = filling, 0
	if msg.err != nil {
		return m.failed(msg.err)
	}
	for _, v := range msg.values {
		if f := m.params.Field(v.Parameter); f != nil && f.Text != v.Text {
			m.set(state{spot{id: v.Parameter}, v.Text, v.Origin, v.Labels})
		}
	}
	m.refresh()
	m.request, m.checks, m.question = msg.request, append(m.marksCheck(), msg.checks...), msg.question
	if m.question != "" || slices.ContainsFunc(m.checks, func(c app.Check) bool { return !c.OK || c.Warn }) {
		m.stage = asking
		return nil
	}
	cmds := []tea.Cmd{m.start()}
	for _, c := range m.checks {
		if c.Tell {
			cmds = append(cmds, nav.Say(c.Text))
		}
	}
	return tea.Batch(cmds...)
}

// blocked tells that a check says the launch will not do.
func (m *Screen) blocked() bool {
	return slices.ContainsFunc(m.checks, func(c app.Check) bool { return !c.OK })
}

// askKey takes a key while the list of checks is seen.
func (m *Screen) askKey(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case keymap.Is(k, keymap.Open) && !m.blocked(), keymap.Is(k, launchKey) && !m.blocked(), keymap.Is(k, anywayKey) && m.blocked():
		return m.start()
	case keymap.Is(k, keymap.Refresh):
		m.stage = filling
		return m.launch()
	case keymap.Is(k, backKey):
		m.stage = filling
	}
	return nil
}

// started answers start.
type started struct {
	gen  nav.Gen
	runs []runner.Run
	err  error
}

// start makes the run, or all of them or none.
func (m *Screen) start() tea.Cmd {
	gen, s, r := nav.NewGen(), m.session, m.request
	m.stage, m.wait = launching, gen
	forget := m.drafts.next(draft{})
	m.drafts.off = true
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		runs, err := launchAll(ctx, s, r)
		if len(runs) > 0 {
			// The runs are on disk: the draft has served. That it cannot be removed
			// is no reason to say that the launch failed.
			_ = forget()
		}
		return started{gen, runs, err}
	}
}

func launchAll(ctx context.Context, s *app.Session, all []app.LaunchRequest) ([]runner.Run, error) {
	if len(all) > 1 {
		return s.LaunchAll(ctx, all)
	}
	run, err := s.Launch(ctx, all[0])
	if run.ID == "" {
		return nil, err
	}
	return []runner.Run{run}, err
}

func (m *Screen) wasStarted(msg started) tea.Cmd {
	if msg.gen != m.wait || m.stage != launching {
		return nil
	}
	m.stage, m.wait = filling, 0
	if len(msg.runs) == 0 {
		m.drafts.off = false
		return tea.Batch(m.failed(msg.err), m.save())
	}
	cmd := nav.Send(nav.Launched{Runs: msg.runs, From: m})
	if msg.err != nil {
		return tea.Sequence(cmd, nav.Fail(msg.err))
	}
	return cmd
}

// failed keeps the form as it is and says why nothing was launched.
func (m *Screen) failed(err error) tea.Cmd {
	var problems forms.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			if f := m.params.Field(p.Parameter); f != nil && len(f.Problems) == 0 {
				f.Problems = append(f.Problems, p)
			}
		}
		if errs := m.errors(); len(errs) > 0 {
			m.goTo(errs[0])
		}
	}
	m.failure = err
	m.relayout()
	return nav.Send(nav.Toast{Text: "not launched: " + text.Line(err.Error()), Tone: app.Bad})
}
