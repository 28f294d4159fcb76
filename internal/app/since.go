package app

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// seen is seen.json: when somebody last had the screens of a server open. It is
// for one line on opening and may be lost.
type seen struct {
	Schema int                  `json:"schema"`
	At     map[string]time.Time `json:"at"` // by the server's URL
}

func (e *Env) seenFile() string { return filepath.Join(e.Paths.State, "seen.json") }

func (e *Env) readSeen() seen {
	s := seen{Schema: 1, At: map[string]time.Time{}}
	if data, err := os.ReadFile(e.seenFile()); err == nil {
		_ = json.Unmarshal(data, &s)
	}
	if s.At == nil {
		s.At = map[string]time.Time{}
	}
	return s
}

// LastSeen is when somebody last had the screens of the session's server open;
// zero: never.
func (s *Session) LastSeen() time.Time { return s.Env.readSeen().At[s.Profile.URL] }

// NoteSeen notes that the screens of the server are open now. Failing costs a
// line at the next start.
func (s *Session) NoteSeen() {
	all := s.Env.readSeen()
	all.At[s.Profile.URL] = s.Env.Now().UTC()
	_ = runner.WriteJSON(s.Env.seenFile(), all)
}

// SinceYouLeft tells in one line what has ended on this box since the person
// last looked, and whether some of it went wrong: "since Tue 18:40: 11
// succeeded, 1 failed (CUDA out of memory)". It is empty when nothing did, and
// makes no request. The look counts as one.
func (s *Session) SinceYouLeft(ctx context.Context) (line string, bad bool) {
	last := s.LastSeen()
	s.NoteSeen()
	if last.IsZero() || ctx.Err() != nil {
		return "", false
	}
	all, err := s.LocalAnalyses()
	if err != nil {
		return "", false
	}
	return happened(all, last, s.Env.Now())
}

// happened counts what ended after a time. What another run of its group
// repeats counts no more.
func happened(all []Analysis, after, now time.Time) (line string, bad bool) {
	repeated := map[string]bool{}
	for _, a := range all {
		if a.Run != nil && a.Run.Group != "" && a.Run.From != "" {
			repeated[a.Run.From] = true
		}
	}
	counts := map[runner.State]int{}
	why := ""
	for _, a := range all {
		if a.Run == nil || !a.Run.Ended.After(after) || repeated[a.Run.ID] {
			continue
		}
		counts[a.Run.State]++
		if a.State().Tone != Bad {
			continue
		}
		bad = true
		if why == "" { // the latest comes first
			why = a.FirstError()
			if why == "" {
				why = a.Reason()
			}
		}
	}
	var parts []string
	for _, state := range []runner.State{runner.Succeeded, runner.Failed, runner.Lost, runner.Cancelled} {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if len(parts) == 0 {
		return "", false
	}
	format := "Mon 15:04"
	if now.Sub(after) > 6*24*time.Hour {
		format = "2 Jan 15:04"
	}
	line = "since " + after.In(now.Location()).Format(format) + ": " + strings.Join(parts, ", ")
	if why != "" {
		line += " (" + RedactLine(text.Line(why)) + ")"
	}
	return line, bad
}
