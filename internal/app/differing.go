package app

import (
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/runner"
)

// Differing are, by run id, the values in which each of these analyses differs from
// the other runs of its group on this box, in the order of the form. Analyses that are
// in no group are missing, and so is what cannot be read.
func (s *Session) Differing(analyses []Analysis) (map[string][]client.Value, error) {
	wanted := map[string]bool{}
	for _, a := range analyses {
		if a.Run != nil && a.Run.Group != "" {
			wanted[a.Run.Group] = true
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	all, err := s.Env.Store.List()
	if err != nil {
		return nil, err
	}
	groups := map[string][]runner.Run{}
	for _, r := range all {
		if !wanted[r.Group] {
			continue
		}
		if full, err := runner.ReadFolder(r.Folder); err == nil {
			groups[r.Group] = append(groups[r.Group], full)
		}
	}
	out := map[string][]client.Value{}
	for _, runs := range groups {
		differing(runs, out)
	}
	return out, nil
}

func differing(runs []runner.Run, out map[string][]client.Value) {
	texts := map[string]map[string]int{} // by parameter, how many have each value
	for _, r := range runs {
		for _, v := range r.Values {
			if texts[v.Parameter] == nil {
				texts[v.Parameter] = map[string]int{}
			}
			texts[v.Parameter][v.Text]++
		}
	}
	for _, r := range runs {
		out[r.ID] = slices.DeleteFunc(slices.Clone(r.Values), func(v client.Value) bool {
			for _, n := range texts[v.Parameter] {
				if n == len(runs) {
					return true
				}
			}
			return (descriptor.Parameter{ID: v.Parameter}).IsSecret()
		})
	}
}

// ShownValue is a value as people read it: the names of options where they are known.
func ShownValue(v client.Value) string {
	if len(v.Labels) > 0 {
		return strings.Join(v.Labels, ",")
	}
	return v.Text
}
