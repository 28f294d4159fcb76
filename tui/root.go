package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/style"
)

// root is the one tea.Model. It owns the stacks and whatever lies over them,
// and nothing of what the screens show.
type root struct {
	ctx     context.Context
	env     *app.Env
	opts    Options
	session *app.Session // nil before the first server
	tabs    [nav.Tabs]stack
	tab     nav.Tab
	over    overlay // a dialog, help or the palette; it gets keys first

	width, height int
	blurred       bool
	link          link
	toast         toast
	connecting    nav.Gen
	projects      nav.Gen
	seen          time.Time // when the last look was written
	pending       string    // the algorithm whose form to open once connected
	crash         *crash
	stop          func() // ends the program from View, which has no command
	// send delivers what a long command says on its way.
	send func(tea.Msg)
}

// stack is the screens of one tab, the last one being seen.
type stack struct {
	screens []nav.Screen
	// from is the tab that opened this one, to go back to; -1 for none.
	from nav.Tab
}

// overlay lies over a screen and takes every key.
type overlay interface {
	// Update tells with done that the overlay goes away.
	Update(msg tea.Msg) (cmd tea.Cmd, done bool)
	// View is a box that fits into the area.
	View(width, height int) string
}

func newRoot(ctx context.Context, env *app.Env, opts Options) *root {
	r := &root{ctx: ctx, env: env, opts: opts, session: opts.Session, pending: opts.Algorithm, stop: func() {}, send: func(tea.Msg) {}}
	r.build()
	return r
}

// build makes the first screen of each tab.
func (r *root) build() {
	for t := range r.tabs {
		r.tabs[t] = stack{screens: []nav.Screen{r.first(nav.Tab(t))}, from: -1}
	}
}

// Init starts the clock and the connection.
func (r *root) Init() tea.Cmd {
	cmds := []tea.Cmd{tea.RequestBackgroundColor, r.tick()}
	for t := range r.tabs {
		cmds = append(cmds, r.tabs[t].screens[0].Init())
	}
	if r.session != nil {
		cmds = append(cmds, r.connect())
	}
	if r.opts.Message != "" {
		cmds = append(cmds, nav.Say(r.opts.Message))
	}
	return r.guard(tea.Batch(cmds...))
}

// Update routes a message. A panic below it ends the program in good order.
func (r *root) Update(msg tea.Msg) (m tea.Model, cmd tea.Cmd) {
	defer func() {
		if v := recover(); v != nil {
			r.crash = newCrash(v)
			m, cmd = r, tea.Quit
		}
	}()
	return r, r.guard(r.update(msg))
}

func (r *root) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case *crash:
		r.crash = msg
		return tea.Quit
	case tea.WindowSizeMsg:
		r.width, r.height = msg.Width, msg.Height
		r.resize()
		return nil
	case tea.BackgroundColorMsg:
		style.Use(msg.IsDark())
		return r.broadcast(nav.ThemeChanged{})
	case tea.FocusMsg:
		if !r.blurred {
			return nil
		}
		r.blurred = false
		return r.tick()
	case tea.BlurMsg:
		r.blurred = true
		return nil
	case tickMsg:
		if r.blurred {
			return nil
		}
		now := time.Time(msg)
		return tea.Batch(r.tick(), r.reconnectLater(now), r.noteSeen(now), r.top().Update(nav.Tick{Now: now}))
	case tea.KeyPressMsg:
		return r.key(msg)
	case tea.PasteMsg:
		if r.over != nil {
			return r.toOverlay(msg)
		}
		return r.top().Update(msg)
	}
	return r.navigate(msg)
}

// navigate takes the messages of package nav; what it does not know is for the
// screens.
func (r *root) navigate(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case nav.Push:
		return r.push(msg.Screen)
	case nav.Pop:
		return r.pop(msg.Screen)
	case nav.Switch:
		return r.open(msg.To)
	case nav.OpenForm, nav.OpenLog, nav.OpenCompare, nav.OpenResults, nav.OpenAnalyses, nav.Launched:
		return r.openScreen(msg)
	case nav.Toast:
		return r.say(msg)
	case toastOver:
		r.endToast(msg)
		return nil
	case nav.Confirm:
		r.over = newConfirm(msg)
		return nil
	case nav.Copy:
		return tea.Batch(tea.SetClipboard(msg.Text), nav.Say("copied "+msg.What))
	case nav.Link:
		r.setLink(msg.Err)
		return r.broadcast(msg)
	case nav.Reconnect:
		return r.connect()
	case nav.ChooseProject:
		return r.listProjects()
	case nav.ChooseServer:
		return r.listServers()
	case serversListed:
		return r.pickServer(msg)
	case serverChosen:
		return r.enterServer(msg)
	case serverOpened:
		return r.serverOpened(msg)
	case nav.Connected:
		return r.broadcast(msg)
	case connected:
		return r.connectEnded(msg)
	case projectsListed:
		return r.projectsListed(msg)
	case pressElsewhere:
		return tea.Batch(r.open(msg.tab), r.key(msg.key))
	case entered:
		return r.enter(msg)
	case projectOpened:
		return r.projectOpened(msg)
	case sessionOpened:
		return r.sessionOpened(msg)
	case algorithmRead:
		return r.algorithmRead(msg)
	}
	if r.over != nil {
		return tea.Batch(r.toOverlay(msg), r.broadcast(msg))
	}
	return r.broadcast(msg)
}

// key routes a key: what always works, then the overlay, then text, then what
// the screen holds on to, then the root's own keys, then the screen.
func (r *root) key(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case keymap.Is(k, keymap.Leave):
		return tea.Quit
	case keymap.Is(k, keymap.Suspend):
		return suspend
	case r.over != nil:
		return r.toOverlay(k)
	case k.String() == "ctrl+k":
		return r.openPalette()
	}
	top := r.top()
	if top.Editing() {
		return top.Update(k)
	}
	if h, ok := top.(nav.KeyHolder); ok && h.HoldsKey(k) {
		return top.Update(k)
	}
	switch {
	case keymap.Is(k, keymap.Help):
		r.over = r.newHelp()
		return nil
	case keymap.Is(k, keymap.Palette):
		return r.openPalette()
	case keymap.Is(k, keymap.Tabs) && r.session != nil:
		r.leaveToast()
		return r.chooseTab(nav.Tab(k.String()[0] - '1'))
	case keymap.Is(k, keymap.Back):
		r.leaveToast()
		return r.back(k)
	}
	return top.Update(k)
}

func (r *root) toOverlay(msg tea.Msg) tea.Cmd {
	over := r.over
	cmd, done := over.Update(msg)
	if done && r.over == over {
		r.over = nil
	}
	return cmd
}

// broadcast gives a message to every screen.
func (r *root) broadcast(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for t := range r.tabs {
		for _, s := range r.tabs[t].screens {
			if cmd := s.Update(msg); cmd != nil {
				cmds = append(cmds, cmd)
			}
		}
	}
	return tea.Batch(cmds...)
}

// tickMsg is the root's clock.
type tickMsg time.Time

func (r *root) tick() tea.Cmd {
	return tea.Tick(500*time.Millisecond, func(t time.Time) tea.Msg { return tickMsg(t) })
}
