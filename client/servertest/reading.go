package servertest

import (
	"errors"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
)

func projects(t *testing.T, f Fixture) {
	ctx := t.Context()
	all := must[[]client.Project](t)(f.Server.Projects(ctx))
	if !slices.IsSortedFunc(all, func(a, b client.Project) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	}) {
		t.Errorf("not by name: %+v", all)
	}
	seen := map[client.ID]client.Project{}
	for _, p := range all {
		seen[p.ID] = p
	}
	if seen[f.Project].Name == "" || seen[f.OtherProject].Name == "" {
		t.Fatalf("the projects are missing: %+v", all)
	}
	one := must[client.Project](t)(f.Server.Project(ctx, f.Project))
	if (one.Ontology == 0) == f.can(client.HasOntologies) || one.Images == 0 || one.Created.IsZero() == f.can(client.DatesProjects) || one.ID != f.Project {
		t.Errorf("%+v", one)
	}
	for _, p := range must[[]client.Project](t)(f.Stranger.Projects(ctx)) {
		if p.ID == f.Project {
			t.Error("a stranger sees the project")
		}
	}
	_, err := f.Server.Project(ctx, missing)
	is(t, err, client.ErrNotFound)
	_, err = f.Nobody.Projects(ctx)
	is(t, err, client.ErrUnauthorised)
}

func algorithms(t *testing.T, f Fixture) {
	ctx := t.Context()
	has := func(all []client.Algorithm) bool {
		return slices.ContainsFunc(all, func(a client.Algorithm) bool { return a.ID == f.Algorithm })
	}
	linked := must[[]client.Algorithm](t)(f.Server.Algorithms(ctx, f.Project))
	if !has(linked) || !has(must[[]client.Algorithm](t)(f.Server.Algorithms(ctx, 0))) {
		t.Fatal("the algorithm is not listed")
	}
	if has(must[[]client.Algorithm](t)(f.Server.Algorithms(ctx, f.OtherProject))) {
		t.Error("the algorithm is listed in a project that does not have it")
	}
	for _, a := range linked {
		for _, p := range a.Parameters {
			if p.SetByServer {
				t.Errorf("%s is listed with %s, which the server sets", a.Name, p.ID)
			}
		}
	}
	a := must[client.Algorithm](t)(f.Server.Algorithm(ctx, f.Algorithm))
	var names []string
	for i, p := range a.Parameters {
		names = append(names, p.ID)
		if p.ServerID == 0 || p.Type == "" || p.SetByServer != (i == 0) {
			t.Errorf("%+v", p)
		}
	}
	if !slices.Equal(names, f.Parameters) {
		t.Errorf("parameters %v, want %v", names, f.Parameters)
	}
	knows := f.can(client.KnowsContainers)
	if a.Name == "" || (a.Container == "") == knows || (a.CommandLine == "") == knows || a.Description == "" {
		t.Errorf("%+v", a)
	}
	_, err := f.Server.Algorithm(ctx, missing)
	is(t, err, client.ErrNotFound)
}

func options(t *testing.T, f Fixture) {
	var names []string
	ids := map[client.ID]bool{}
	err := f.Server.Options(t.Context(), f.Options, func(page []client.Option) error {
		if len(page) == 0 || len(page) > 1000 {
			t.Errorf("a part of %d options", len(page))
		}
		for _, o := range page {
			ids[o.ID] = true
			names = append(names, o.Fields.Get(f.OptionField))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(f.OptionNames)
	sort.Strings(want)
	sort.Strings(names)
	if !slices.Equal(names, want) || len(ids) != len(want) || ids[0] {
		t.Errorf("%d options with %d ids, want %d", len(names), len(ids), len(want))
	}
	stop := errors.New("enough")
	is(t, f.Server.Options(t.Context(), f.Options, func([]client.Option) error { return stop }), stop)
	bad := f.Options
	bad.URI = "https://elsewhere.example/api/term.json"
	if err := f.Server.Options(t.Context(), bad, func([]client.Option) error { return nil }); err == nil {
		t.Error("options of another server")
	}
	bad.URI = "/api/no/such/list.json"
	is(t, f.Server.Options(t.Context(), bad, func([]client.Option) error { return nil }), client.ErrNotFound)
	_, err = f.Nobody.Algorithm(t.Context(), f.Algorithm)
	is(t, err, client.ErrUnauthorised)
}
