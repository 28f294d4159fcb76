package demo

import (
	"context"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// Scenario is what the demo does by itself where nobody sits in front of it:
// the same algorithm, once with each set of values.
type Scenario struct {
	Algorithm client.Algorithm
	Sets      [][]client.Value
}

// Plan makes the scenario for the demo's project: nuclei on two real images
// and a generated one, with little and with more smoothing.
func Plan(ctx context.Context, s client.Server, p client.Project) (Scenario, error) {
	const name = "nuclei-segmentation"
	all, err := s.Algorithms(ctx, p.ID)
	if err != nil {
		return Scenario{}, err
	}
	var plan Scenario
	for _, a := range all {
		if a.Name == name && a.Version == Version {
			if plan.Algorithm, err = s.Algorithm(ctx, a.ID); err != nil {
				return Scenario{}, err
			}
		}
	}
	if plan.Algorithm.ID == 0 {
		return Scenario{}, client.NotFound("project %d has no algorithm %s %s", p.ID, name, Version)
	}
	Complete(&plan.Algorithm)
	images, err := choose(ctx, s, p, plan.Algorithm, "images", "cell.png", "ihc.png", "field-1.png")
	if err != nil {
		return Scenario{}, err
	}
	term, err := choose(ctx, s, p, plan.Algorithm, "term", "nucleus")
	if err != nil {
		return Scenario{}, err
	}
	for _, sigma := range []string{"1", "2.5"} {
		set := []client.Value{images, term, {Parameter: "sigma", Text: sigma, Origin: client.FromUser}}
		for _, q := range plan.Algorithm.Parameters {
			if q.Default != nil && q.ID != "sigma" {
				set = append(set, client.Value{Parameter: q.ID, Text: *q.Default, Origin: client.FromDefault})
			}
		}
		plan.Sets = append(plan.Sets, set)
	}
	return plan, nil
}

// choose is the value of a Domain or ListDomain parameter that means the
// options of the given names.
func choose(ctx context.Context, s client.Server, p client.Project, a client.Algorithm, parameter string, names ...string) (client.Value, error) {
	var of descriptor.Parameter
	for _, q := range a.Parameters {
		if q.ID == parameter {
			of = q.Parameter
		}
	}
	ids := map[string]string{}
	err := s.Options(ctx, client.OptionQuery{URI: of.URI, Project: p}, func(page []client.Option) error {
		for _, o := range page {
			ids[o.Fields.Get(of.URIPrint)] = strconv.FormatInt(int64(o.ID), 10)
		}
		return nil
	})
	if err != nil {
		return client.Value{}, err
	}
	chosen := make([]string, len(names))
	for i, name := range names {
		if chosen[i] = ids[name]; chosen[i] == "" {
			return client.Value{}, client.NotFound("project %s has no %s for %s", p.Name, name, of.Label())
		}
	}
	return client.Value{Parameter: parameter, Text: strings.Join(chosen, ","), Origin: client.FromUser, Labels: names}, nil
}
