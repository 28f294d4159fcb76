package tui

import (
	"slices"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/algorithms"
	"github.com/cytorun/cytorun/tui/analyses"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/machine"
	"github.com/cytorun/cytorun/tui/nav"
)

var tabNames = [nav.Tabs]string{"Algorithms", "Analyses", "Compare", "Machine"}

// first makes the first screen of a tab.
func (r *root) first(t nav.Tab) nav.Screen {
	if r.session == nil {
		return newWelcome(r.ctx, r.env, func(msg tea.Msg) { r.send(msg) })
	}
	switch t {
	case nav.Algorithms:
		return algorithms.New(r.session)
	case nav.Analyses:
		return analyses.New(r.session)
	case nav.Machine:
		return machine.New(r.session)
	}
	return newCompare(r.session, nil)
}

func (r *root) top() nav.Screen {
	s := r.tabs[r.tab].screens
	return s[len(s)-1]
}

// push shows a screen on the present stack.
func (r *root) push(s nav.Screen) tea.Cmd {
	st := &r.tabs[r.tab]
	st.screens = append(st.screens, s)
	r.sizeScreen(s)
	return tea.Batch(s.Init(), r.shown())
}

// pop takes a screen off its stack, whichever tab it is in.
func (r *root) pop(s nav.Screen) tea.Cmd {
	for t := range r.tabs {
		st := &r.tabs[t]
		if i := slices.Index(st.screens, s); i > 0 {
			st.screens = slices.Delete(st.screens, i, i+1)
			return tea.Batch(closeScreen(s), r.shown())
		}
	}
	return nil
}

// open shows a tab.
func (r *root) open(t nav.Tab) tea.Cmd {
	if t < 0 || t >= nav.Tabs {
		return nil
	}
	r.tab = t
	return r.shown()
}

// chooseTab shows a tab as a person left it, and of the one that is shown already
// its first screen. A form that is left so keeps its draft.
func (r *root) chooseTab(t nav.Tab) tea.Cmd {
	if t != r.tab {
		return r.open(t)
	}
	var cmds []tea.Cmd
	for st := &r.tabs[t]; len(st.screens) > 1; {
		cmds = append(cmds, r.pop(r.top()))
	}
	return tea.Batch(append(cmds, r.open(t))...)
}

// openFrom shows a tab and remembers where to go back to.
func (r *root) openFrom(t nav.Tab) tea.Cmd {
	if t != r.tab {
		r.tabs[t].from = r.tab
	}
	return r.open(t)
}

// canGoBack tells that there is a screen to go back to.
func (r *root) canGoBack() bool {
	st := &r.tabs[r.tab]
	return len(st.screens) > 1 || st.from >= 0
}

// back goes back one screen; q leaves the program from a first one.
func (r *root) back(k tea.KeyPressMsg) tea.Cmd {
	st := &r.tabs[r.tab]
	if n := len(st.screens); n > 1 {
		return r.pop(st.screens[n-1])
	}
	if from := st.from; from >= 0 {
		st.from = -1
		return r.open(from)
	}
	if keymap.Is(k, keymap.Quit) {
		return tea.Quit
	}
	return nil
}

// reset leaves only the first screen of each tab.
func (r *root) reset() tea.Cmd {
	var cmds []tea.Cmd
	for t := range r.tabs {
		st := &r.tabs[t]
		for _, s := range st.screens[1:] {
			cmds = append(cmds, closeScreen(s))
		}
		st.screens, st.from = st.screens[:1], -1
	}
	return tea.Batch(cmds...)
}

// replace makes s the only screen of a tab.
func (r *root) replace(t nav.Tab, s nav.Screen) tea.Cmd {
	var cmds []tea.Cmd
	for _, old := range r.tabs[t].screens {
		cmds = append(cmds, closeScreen(old))
	}
	r.tabs[t].screens = []nav.Screen{s}
	r.sizeScreen(s)
	return tea.Batch(append(cmds, s.Init())...)
}

// shown tells the screen that came to be seen what time it is.
func (r *root) shown() tea.Cmd {
	return r.top().Update(nav.Tick{Now: time.Now()})
}

func closeScreen(s nav.Screen) tea.Cmd {
	if c, ok := s.(nav.Closer); ok {
		return c.Close()
	}
	return nil
}

// closeWithin bounds how long leaving waits for what screens still write.
const closeWithin = time.Second

// closeAll closes every screen and waits for what they do then, such as writing
// a draft: whoever leaves in the middle of a form finds it again. It is for the
// time after the program has ended, however it did.
func (r *root) closeAll(within time.Duration) {
	var closing sync.WaitGroup
	for t := range r.tabs {
		for _, s := range r.tabs[t].screens {
			closing.Go(func() { finish(s) })
		}
	}
	done := make(chan struct{})
	go func() {
		closing.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(within):
	}
}

// finish closes a screen and runs its command. A screen that fails there, maybe
// for the fault that has ended the program, has nothing more to say.
func finish(s nav.Screen) {
	defer func() { _ = recover() }()
	if cmd := closeScreen(s); cmd != nil {
		cmd()
	}
}

// openScreen builds the screen that another one asked for.
func (r *root) openScreen(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case nav.OpenForm:
		return r.push(newForm(r.session, msg))
	case nav.OpenLog:
		return r.push(newLog(r.session, msg.Analysis))
	case nav.OpenResults:
		return r.push(newResults(r.session, msg.Analyses))
	case nav.OpenCompare:
		cmd := r.replace(nav.Compare, newCompare(r.session, msg.Analyses))
		return tea.Batch(cmd, r.openFrom(nav.Compare))
	case nav.OpenAnalyses:
		return tea.Batch(r.broadcast(msg), r.openFrom(nav.Analyses))
	case nav.Launched:
		return r.launched(msg)
	}
	return nil
}

// launched closes the form and shows what it started: the one new run's log
// over the list, or the list alone.
func (r *root) launched(msg nav.Launched) tea.Cmd {
	var cmds []tea.Cmd
	if msg.From != nil { // it may be covered, or on another tab than the one that is seen now
		cmds = append(cmds, r.pop(msg.From))
	}
	cmds = append(cmds, r.broadcast(msg), r.openFrom(nav.Analyses))
	if len(msg.Runs) == 1 {
		run := msg.Runs[0]
		cmds = append(cmds, r.push(newLog(r.session, app.Analysis{Run: &run})))
	}
	return tea.Batch(cmds...)
}
