package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
)

// AlgorithmRow is an algorithm with what this box knows of it.
type AlgorithmRow struct {
	client.Algorithm
	Here bool  // its container is on this box
	Size int64 // of that container in bytes
	// Last is the latest analysis made here, or nil.
	Last *Analysis
	// Missing says why it cannot run on this box; empty where it can, as far as is
	// known before a launch.
	Missing string
	// Typical is the median duration of the analyses that succeeded here, 0
	// when there are none.
	Typical time.Duration
}

// Algorithms lists the algorithms of the project.
func (s *Session) Algorithms(ctx context.Context) ([]AlgorithmRow, error) {
	algorithms, err := s.Server.Algorithms(ctx, s.Project.ID)
	if err != nil {
		return nil, err
	}
	runs, err := s.runs()
	if err != nil {
		return nil, err
	}
	all := make([]*client.Algorithm, len(algorithms))
	for i := range algorithms {
		all[i] = &algorithms[i]
	}
	missing := make([]string, len(all))
	if s.isExact() {
		local := s.Env.descriptors()
		for i, a := range all {
			missing[i] = s.bind(a, local)
		}
	} else {
		s.Env.complete(all...) // lists of the server have no descriptions
	}
	rows := make([]AlgorithmRow, len(algorithms))
	for i, a := range algorithms {
		rows[i] = s.algorithmRow(a, runs)
		rows[i].Missing = missing[i]
	}
	sort.SliceStable(rows, func(i, j int) bool {
		a, b := strings.ToLower(rows[i].Name), strings.ToLower(rows[j].Name)
		if a != b {
			return a < b
		}
		return rows[i].Version > rows[j].Version
	})
	return rows, nil
}

func (s *Session) algorithmRow(a client.Algorithm, runs []runner.Run) AlgorithmRow {
	row := AlgorithmRow{Algorithm: a}
	if a.Container != "" {
		c, size, ok := apptainer.Cached(s.Env.Paths.Containers, ContainerReference(a))
		row.Here, row.Size = ok && c.Path != "", size
	}
	var times []time.Duration
	for i := range runs {
		r := runs[i]
		if r.Algorithm.ID != a.ID {
			continue
		}
		if row.Last == nil {
			row.Last = &Analysis{Run: &r}
		}
		if r.State == runner.Succeeded && !r.Develop.ByHand() {
			times = append(times, r.Duration(s.Env.Now()))
		}
	}
	if len(times) > 0 {
		slices.Sort(times)
		row.Typical = times[len(times)/2]
	}
	return row
}

// ContainerReference is the image reference of an algorithm with a tag: the
// server stores the bare name in a descriptor's container-image, and releases
// are tagged with the algorithm's version (contract §5.2).
func ContainerReference(a client.Algorithm) string {
	if strings.HasPrefix(a.Container, noContainer) {
		return ""
	}
	return apptainer.WithVersion(a.Container, a.Version)
}

// ErrAmbiguous tells that a name means several things.
type ErrAmbiguous struct {
	What, Name string
	Candidates []string
}

// Error lists the candidates.
func (e *ErrAmbiguous) Error() string {
	return fmt.Sprintf("%q names several %s: %s", text.Line(e.Name), e.What, text.Line(strings.Join(e.Candidates, ", ")))
}

// Algorithm finds one algorithm by NAME, NAME@VERSION or id, and reads all of
// it. Where several versions of a name exist the newest that is not deprecated
// is meant.
func (s *Session) Algorithm(ctx context.Context, name string) (client.Algorithm, error) {
	a, err := s.findAlgorithm(ctx, name)
	if err == nil {
		s.keepAlgorithm(name, a)
	}
	return a, err
}

func (s *Session) findAlgorithm(ctx context.Context, name string) (client.Algorithm, error) {
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		a, err := s.algorithm(ctx, client.ID(id))
		if !errors.Is(err, client.ErrNotFound) {
			return a, err
		}
		// Not an id; it may still be a name.
	}
	all, err := s.Server.Algorithms(ctx, s.Project.ID)
	if err != nil {
		return client.Algorithm{}, err
	}
	found, err := chooseAlgorithm(all, name)
	if err != nil {
		return client.Algorithm{}, err
	}
	return s.algorithm(ctx, found.ID)
}

// algorithm reads an algorithm with all that is known of its parameters.
func (s *Session) algorithm(ctx context.Context, id client.ID) (client.Algorithm, error) {
	a, err := s.Server.Algorithm(ctx, id)
	if err == nil {
		s.complete(ctx, &a)
	}
	return a, err
}

// AlgorithmToFill reads an algorithm for its form, which reads the limits of its
// parameters by itself.
func (s *Session) AlgorithmToFill(ctx context.Context, id client.ID) (client.Algorithm, error) {
	a, err := s.Server.Algorithm(ctx, id)
	if err == nil && s.isExact() {
		s.bind(&a, s.Env.descriptors())
	}
	return a, err
}

func chooseAlgorithm(all []client.Algorithm, name string) (client.Algorithm, error) {
	base, version, hasVersion := strings.Cut(name, "@")
	match := func(same func(a, b string) bool) []client.Algorithm {
		var out []client.Algorithm
		for _, a := range all {
			if same(a.Name, base) && (!hasVersion || strings.TrimPrefix(a.Version, "v") == strings.TrimPrefix(version, "v")) {
				out = append(out, a)
			}
		}
		return out
	}
	found := match(func(a, b string) bool { return a == b })
	if len(found) == 0 && !hasVersion {
		for _, a := range all {
			if a.Package != "" && a.Package == name {
				found = append(found, a)
			}
		}
	}
	if len(found) == 0 {
		found = match(strings.EqualFold)
	}
	if len(found) == 0 {
		found = match(func(a, b string) bool { return strings.Contains(strings.ToLower(a), strings.ToLower(b)) })
	}
	if len(found) == 0 {
		return client.Algorithm{}, client.NotFound("no algorithm %q in this project; 'cytorun algorithms' lists them", text.Line(name))
	}
	if len(found) > 1 && found[0].Package != "" {
		// Neither names nor packages of plugins are unique on EXACT; ids are.
		e := &ErrAmbiguous{What: "algorithms", Name: name}
		for _, a := range found {
			e.Candidates = append(e.Candidates, fmt.Sprintf("%s (%s), id %d", a.Name, a.Package, a.ID))
		}
		return client.Algorithm{}, e
	}
	names := map[string]bool{}
	for _, a := range found {
		names[a.Name] = true
	}
	if current := slices.DeleteFunc(slices.Clone(found), func(a client.Algorithm) bool { return a.Deprecated }); len(current) > 0 {
		found = current
	}
	if len(names) > 1 || len(found) > 1 && hasVersion {
		e := &ErrAmbiguous{What: "algorithms", Name: name}
		for _, a := range found {
			e.Candidates = append(e.Candidates, a.Name+"@"+a.Version)
		}
		return client.Algorithm{}, e
	}
	// Ids grow with time; versions do not sort (contract §7.10).
	return slices.MaxFunc(found, func(a, b client.Algorithm) int { return cmp.Compare(a.ID, b.ID) }), nil
}
