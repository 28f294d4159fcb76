package tui

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/nav"
)

// seenEvery is how often the time of the last look is written while the screens
// are open, so that a killed terminal loses little.
const seenEvery = time.Minute

// seen is seen.json: when somebody last had the screens of a server open. It is
// for one line on opening and may be lost.
type seen struct {
	Schema int                  `json:"schema"`
	At     map[string]time.Time `json:"at"` // by the server's URL
}

func seenFile(env *app.Env) string { return filepath.Join(env.Paths.State, "seen.json") }

func readSeen(env *app.Env) seen {
	s := seen{Schema: 1, At: map[string]time.Time{}}
	if data, err := os.ReadFile(seenFile(env)); err == nil {
		_ = json.Unmarshal(data, &s)
	}
	if s.At == nil {
		s.At = map[string]time.Time{}
	}
	return s
}

// writeSeen notes that the screens of a server are open now. Failing costs a
// line at the next start.
func writeSeen(env *app.Env, url string, now time.Time) {
	s := readSeen(env)
	s.At[url] = now.UTC()
	_ = runner.WriteJSON(seenFile(env), s)
}

// since tells in one line what has ended here since the last look.
func since(s *app.Session, now time.Time) tea.Cmd {
	return func() tea.Msg {
		last := readSeen(s.Env).At[s.Profile.URL]
		writeSeen(s.Env, s.Profile.URL, now)
		all, err := s.LocalAnalyses()
		if err != nil || last.IsZero() {
			return nil
		}
		if line, tone := happened(all, last, now); line != "" {
			return nav.Toast{Text: line, Tone: tone}
		}
		return nil
	}
}

// happened counts what ended after a time: "since Tue 18:40: 11 succeeded, 1
// failed (CUDA out of memory)".
func happened(all []app.Analysis, after, now time.Time) (string, app.Tone) {
	counts := map[string]int{}
	tone, why := app.Good, ""
	for _, a := range all {
		if a.Run == nil || !a.Run.Ended.After(after) {
			continue
		}
		state := string(a.Run.State)
		counts[state]++
		if a.State().Tone != app.Bad {
			continue
		}
		tone = app.Bad
		if why == "" { // the latest comes first
			why = a.FirstError()
			if why == "" {
				why = a.Reason()
			}
		}
	}
	var parts []string
	for _, state := range []runner.State{runner.Succeeded, runner.Failed, runner.Lost, runner.Cancelled} {
		if n := counts[string(state)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if len(parts) == 0 {
		return "", app.Quiet
	}
	format := "Mon 15:04"
	if now.Sub(after) > 6*24*time.Hour {
		format = "2 Jan 15:04"
	}
	line := "since " + after.In(now.Location()).Format(format) + ": " + strings.Join(parts, ", ")
	if why != "" {
		line += " (" + text.Line(why) + ")"
	}
	return line, tone
}

// noteSeen writes the time of the last look now and then.
func (r *root) noteSeen(now time.Time) tea.Cmd {
	if r.session == nil || !r.session.Connected() || now.Sub(r.seen) < seenEvery {
		return nil
	}
	first := r.seen.IsZero()
	r.seen = now
	if first { // since has just written it
		return nil
	}
	env, url := r.env, r.session.Profile.URL
	return func() tea.Msg {
		writeSeen(env, url, now)
		return nil
	}
}
