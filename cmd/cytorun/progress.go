package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/charmbracelet/x/term"

	"github.com/cytorun/cytorun/internal/text"
)

// progressEvery is how often a line of progress is printed where nobody sees it
// change.
const progressEvery = 10 * time.Second

// progress shows how something goes: on a terminal one line that changes,
// elsewhere a line now and then.
type progress struct {
	c        *cli
	terminal *os.File // nil where there is none
	mu       sync.Mutex
	shown    bool
	last     time.Time
}

func (c *cli) progress() *progress {
	p := &progress{c: c}
	if f, ok := c.err.(*os.File); ok && isTerminal(f) && os.Getenv("TERM") != "dumb" {
		p.terminal = f
	}
	return p
}

// line shows what goes on now.
func (p *progress) line(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal == nil {
		if now := time.Now(); now.Sub(p.last) >= progressEvery {
			p.last = now
			p.c.say("%s", s)
		}
		return
	}
	width, _, err := term.GetSize(p.terminal.Fd())
	if err != nil || width < 2 {
		width = 80
	}
	fmt.Fprint(p.terminal, "\r\x1b[K"+text.Truncate(text.Line(s), width-1))
	p.shown = true
}

// end leaves an empty line for what comes.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.terminal, "\r\x1b[K")
		p.shown = false
	}
}
