package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/demo"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// Demo makes sure that the demo's server runs and opens its project. say is
// told what takes a moment.
func (e *Env) Demo(ctx context.Context, say func(string)) (*Session, error) {
	if _, err := demo.Ensure(ctx, e.Paths, e.Executable, say); err != nil {
		return nil, err
	}
	s, err := e.Open(profile.Selection{Server: demo.ProfileName})
	if err != nil {
		return nil, err
	}
	return s.Connect(ctx, "")
}

// DemoReport is what the demo did by itself.
type DemoReport struct {
	Analyses []Analysis
	Counts   []int // annotations on the server, one for each analysis
	Table    compare.Table
}

// DemoLoop runs the demo's algorithm twice with different values, waits, and
// compares the two. Every analysis must succeed and its annotations must be on
// the server; otherwise the report comes with an error.
func (s *Session) DemoLoop(ctx context.Context, runtime runner.Runtime, say func(string)) (DemoReport, error) {
	var report DemoReport
	plan, err := demo.Plan(ctx, s.Server, s.Project)
	if err != nil {
		return report, err
	}
	for _, values := range plan.Sets {
		run, err := s.Launch(ctx, LaunchRequest{Algorithm: plan.Algorithm, Values: values, Runtime: runtime})
		if err != nil {
			return report, err
		}
		say(fmt.Sprintf("launched %s with %s: run %s", plan.Algorithm.Name, brief(values), run.ID))
		a, err := s.waitJob(ctx, Analysis{Run: &run})
		if err != nil {
			return report, err
		}
		report.Analyses = append(report.Analyses, a)
	}
	var failed []string
	for i, a := range report.Analyses {
		end, err := s.Wait(ctx, a, func(now Analysis) {
			line := now.Title() + ": " + text.Line(now.State().Word)
			if r := now.Reason(); r != "" {
				line += ", " + text.Line(r)
			}
			say(line)
		})
		if err != nil {
			return report, err
		}
		end = s.withJob(ctx, end)
		report.Analyses[i] = end
		r, err := s.Results(ctx, end)
		if err != nil {
			return report, err
		}
		report.Counts = append(report.Counts, r.Annotations())
		switch {
		case end.Run.State != runner.Succeeded:
			failed = append(failed, fmt.Sprintf("%s %s: %s; see 'cytorun logs %s'", end.Title(), end.State().Word, end.Reason(), end.Key()))
		case r.Annotations() == 0:
			failed = append(failed, end.Title()+" wrote no annotations to the server")
		}
	}
	if report.Table, err = s.Compare(ctx, report.Analyses, nil); err != nil {
		return report, err
	}
	if len(failed) > 0 {
		return report, fmt.Errorf("the demo did not come through: %s", strings.Join(failed, "; "))
	}
	return report, nil
}

// waitJob waits until the server has given a run its number, so that the demo's
// analyses are numbered in the order in which they are told of.
func (s *Session) waitJob(ctx context.Context, a Analysis) (Analysis, error) {
	tick := time.NewTicker(waitInterval)
	defer tick.Stop()
	for {
		var err error
		if a, err = s.Refresh(ctx, a); err != nil || a.JobID() != 0 || !a.State().Live {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-tick.C:
		}
	}
}

// brief names the values that a person chose.
func brief(values []client.Value) string {
	var parts []string
	for _, v := range values {
		if v.Origin == client.FromUser {
			shown := v.Text
			if len(v.Labels) > 0 {
				shown = strings.Join(v.Labels, ",")
			}
			parts = append(parts, v.Parameter+"="+shown)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}
