package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// printReceipt prints everything that is known of an analysis, for programs.
func (c *cli) printReceipt(ctx context.Context, s *app.Session, a app.Analysis, checksums bool) error {
	r, err := s.Receipt(ctx, a, checksums)
	if err != nil {
		return err
	}
	fields := []field{
		{"analysis", toAnalysisJSON(a, s.Env.Now())}, {"server", r.Server}, {"project", r.Project},
		{"algorithm", r.Algorithm}, {"values", list(r.Values)},
	}
	if r.Container != nil {
		fields = append(fields, field{"container", r.Container})
	}
	if r.Resources != nil {
		fields = append(fields, field{"resources", r.Resources})
	}
	if r.Machine != nil {
		fields = append(fields, field{"machine", r.Machine})
	}
	fields = append(fields, field{"launch", r.Launch}, field{"times", r.Times})
	if r.Exit != nil {
		fields = append(fields, field{"exit", r.Exit})
	}
	fields = append(fields, field{"verdict", r.Verdict}, field{"results", r.Results})
	if r.Log != nil {
		fields = append(fields, field{"log", r.Log})
	}
	return c.printJSON(append(fields, field{"events", list(r.Events)})...)
}

// ranOn says in a line on what a run ran.
func ranOn(m runner.Machine) string {
	parts := []string{m.Host}
	if m.CPU != "" {
		parts = append(parts, fmt.Sprintf("%d x %s", m.CPUs, m.CPU))
	}
	if m.Memory > 0 {
		parts = append(parts, text.Memory(m.Memory))
	}
	for _, g := range m.GPUs {
		parts = append(parts, g.Name)
	}
	if m.GPUDriver != "" {
		parts = append(parts, "driver "+m.GPUDriver)
	}
	return strings.Join(append(parts, m.OS, m.Kernel), ", ")
}

// placeInGroup says which part of which group a run is.
func placeInGroup(run runner.Run) string {
	if run.Part == nil {
		return run.Group
	}
	return fmt.Sprintf("%s, part %d of %d", run.Group, run.Part.Index, run.Part.Of)
}

// partOf is the place of a run in its group and the values that only it has:
// "3/5 sigma=2".
func partOf(a app.Analysis, differing map[string][]client.Value) string {
	switch {
	case a.Run == nil:
		return ""
	case a.Run.Part == nil:
		return text.Truncate(text.Line(a.Run.Image.Name), 60)
	}
	part := fmt.Sprintf("%d/%d", a.Run.Part.Index, a.Run.Part.Of)
	var values []string
	for _, v := range differing[a.Run.ID] {
		values = append(values, v.Parameter+"="+text.Truncate(app.ShownValue(v), 30))
	}
	if len(values) == 0 {
		return part
	}
	return part + " " + text.Truncate(strings.Join(values, " "), 60)
}
