package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
)

// Rerun is what it takes to launch an analysis again, on its own server or on
// another.
type Rerun struct {
	Request LaunchRequest
	// Notes say what could not be taken over as it was, one line each. A value
	// that is left out and needed makes the launch fail.
	Notes []string
}

func (r *Rerun) note(format string, args ...any) {
	r.Notes = append(r.Notes, text.Line(fmt.Sprintf(format, args...)))
}

// HasKeys tells whether the session has any keys for its server.
func (s *Session) HasKeys() bool { return s.keys != (client.Keys{}) }

// IsFolder tells whether a name of an analysis is the path of a run folder.
func IsFolder(name string) bool {
	if !strings.Contains(name, string(filepath.Separator)) && name != "." && name != ".." {
		return false
	}
	_, err := os.Stat(filepath.Join(name, runner.SpecFile))
	return err == nil
}

// Rerun prepares the launch of an analysis again: with the same values, and in
// the very container that ran, by its digest. Ids of another server mean other
// things here, so there the algorithm is found by its name and version, and
// options by the names that were recorded. algorithm, as NAME@VERSION or id, and
// container replace the analysis' own; both may be empty.
func (s *Session) Rerun(ctx context.Context, a Analysis, algorithm, container string) (Rerun, error) {
	a, err := s.full(a)
	if err != nil {
		return Rerun{}, err
	}
	values, err := s.Values(ctx, a)
	if err != nil {
		return Rerun{}, err
	}
	var r Rerun
	here := a.Run == nil || a.Run.Server.URL == s.Profile.URL
	switch {
	case algorithm != "":
		r.Request.Algorithm, err = s.Algorithm(ctx, algorithm)
	case here:
		r.Request.Algorithm, _, err = s.Again(ctx, a)
	default:
		r.Request.Algorithm, err = s.sameAlgorithm(ctx, a.Run.Algorithm)
	}
	if err != nil {
		return Rerun{}, err
	}
	if !here || algorithm != "" {
		values = s.carry(ctx, &r, a, values, here)
	}
	r.Request.Values, r.Request.Container = values, container
	if a.Run == nil {
		return r, nil
	}
	if !here && a.Run.Project.Name != s.Project.Name {
		r.note("project %s: it ran in %s of %s", s.Project.Name, a.Run.Project.Name, a.Run.Server.URL)
	}
	r.Request.Runtime, r.Request.From = a.Run.Runtime, a.Run.ID
	r.Request.TakeResources(*a.Run, s.Env.Host)
	r.Request.Strict = a.Run.Strict
	r.Request.Cache = a.Run.Cache
	if algorithm == "" && container == "" && r.Request.Runtime != runner.Process {
		s.sameContainer(&r, *a.Run)
	}
	return r, nil
}

// sameAlgorithm finds the algorithm of a run of another server.
func (s *Session) sameAlgorithm(ctx context.Context, was runner.AlgorithmSpec) (client.Algorithm, error) {
	all, err := s.Server.Algorithms(ctx, s.Project.ID)
	if err != nil {
		return client.Algorithm{}, err
	}
	var found client.Algorithm
	var others []string
	for _, a := range all {
		switch {
		case a.Name != was.Name:
		case strings.TrimPrefix(a.Version, "v") != strings.TrimPrefix(was.Version, "v"):
			others = append(others, a.Name+"@"+a.Version)
		case a.ID > found.ID:
			found = a
		}
	}
	if found.ID != 0 {
		return s.algorithm(ctx, found.ID)
	}
	name := client.Algorithm{Name: was.Name, Version: was.Version}.FullName()
	next := "add it to the project there, or name another with --algorithm"
	if len(others) > 0 {
		slices.Sort(others)
		next = "it has " + strings.Join(others, ", ") + "; name one with --algorithm"
	}
	return client.Algorithm{}, fmt.Errorf("algorithm %s is not in project %s of %s: %w; %s",
		text.Line(name), text.Line(s.Project.Name), s.Profile.URL, client.ErrNotFound, text.Line(next))
}

// carry takes the values over to another algorithm or another server.
func (s *Session) carry(ctx context.Context, r *Rerun, a Analysis, values []client.Value, sameServer bool) []client.Value {
	known := map[string]descriptor.Parameter{}
	for _, p := range UserParameters(r.Request.Algorithm) {
		known[p.ID] = p
	}
	var out []client.Value
	for _, v := range values {
		p, ok := known[v.Parameter]
		switch {
		case !ok:
			r.note("%s = %s is left out: %s has no such parameter", v.Parameter, shortened(v.Text), r.Request.Algorithm.FullName())
			continue
		case sameServer || p.Type != descriptor.Domain && p.Type != descriptor.ListDomain || v.Text == "":
		default:
			if v, ok = s.carryOptions(ctx, r, a, p, v); !ok {
				continue
			}
		}
		out = append(out, v)
	}
	return out
}

// carryOptions finds the options of a value by their names.
func (s *Session) carryOptions(ctx context.Context, r *Rerun, a Analysis, p descriptor.Parameter, v client.Value) (client.Value, bool) {
	ids := strings.Split(v.Text, ",")
	if len(v.Labels) != len(ids) {
		r.note("%s = %s is left out: these are ids of %s, and no names were recorded; set it with -p %s=…", p.ID, shortened(v.Text), a.Run.Server.URL, p.ID)
		return v, false
	}
	byName := map[string][]client.Option{}
	err := s.Options(ctx, p, func(options []client.Option) error {
		for _, o := range options {
			byName[OptionLabel(p, o)] = append(byName[OptionLabel(p, o)], o)
		}
		return nil
	})
	if err != nil {
		r.note("%s is left out: its options cannot be looked up: %v", p.ID, err)
		return v, false
	}
	var found, labels, missing, several []string
	for _, label := range v.Labels {
		switch options := byName[label]; len(options) {
		case 0:
			missing = append(missing, label)
		case 1:
			found, labels = append(found, idText(options[0].ID)), append(labels, label)
		default:
			several = append(several, label)
		}
	}
	if len(missing) > 0 {
		r.note("%s: not on %s: %s", p.ID, s.Profile.URL, shortened(strings.Join(missing, ", ")))
	}
	if len(several) > 0 {
		r.note("%s: more than one of this name on %s, none is taken: %s", p.ID, s.Profile.URL, shortened(strings.Join(several, ", ")))
	}
	v.Text, v.Labels = strings.Join(found, ","), labels
	return v, len(found) > 0
}

// shortened keeps a list of hundreds of images from filling the screen.
func shortened(s string) string { return text.Truncate(s, 120) }

// sameContainer names the container by what exactly ran.
func (s *Session) sameContainer(r *Rerun, run runner.Run) {
	reference, digest := run.Algorithm.Container, Digest(run)
	r.Request.Container = reference
	switch {
	case reference == "":
		return
	case apptainer.IsFile(reference):
		s.sameFile(r, reference, digest)
		return
	case digest == "":
		r.note("container %s: which one ran was not recorded, as it never started; it is fetched by its name", reference)
		return
	}
	if m, ok := runner.ReadMachine(run.Folder); ok && m.Arch != "" && m.Arch != runtime.GOARCH {
		r.note("container %s: it ran on %s and this box is %s; it is fetched by its name", reference, m.Arch, runtime.GOARCH)
		return
	}
	if exact, ok := apptainer.Exact(reference, digest); ok {
		r.Request.Container = exact
	}
}

// sameFile looks for a container that was a file on the box of the run.
func (s *Session) sameFile(r *Rerun, reference, digest string) {
	if apptainer.IsFolder(reference) {
		return // it may change at any time, and that is said of the run
	}
	now, err := apptainer.FileDigest(s.Env.Paths.Containers, reference)
	switch {
	case err != nil && r.Request.Algorithm.Container != "" && r.Request.Algorithm.Container != reference:
		r.Request.Container = ""
		r.note("container %s is not here: %v; the algorithm's own is used, %s", reference, err, ContainerReference(r.Request.Algorithm))
	case err != nil:
		r.note("container %s is not here: %v; name another with --container", reference, err)
	case digest != "" && now != digest:
		r.note("container %s is another file than the one that ran: %s, then %s", reference, now, digest)
	}
}
