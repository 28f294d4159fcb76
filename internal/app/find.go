package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// The names that mean a run of this box without naming it: the one launched
// last, and the last one that failed.
const (
	Last       = "@last"
	LastFailed = "@failed"
)

// IsOfServer tells whether a name of an analysis can only be understood with
// its server: job:12345 and NAME#12. All others name runs of this box.
func IsOfServer(name string) bool {
	if strings.HasPrefix(name, "job:") {
		return true
	}
	_, _, ok := numbered(name)
	return ok
}

// numbered takes NAME#12 apart.
func numbered(name string) (algorithm string, number int, ok bool) {
	i := strings.LastIndex(name, "#")
	if i <= 0 {
		return "", 0, false
	}
	number, err := strconv.Atoi(name[i+1:])
	return name[:i], number, err == nil
}

// FindRun finds a run of this box without a server: by its id or a unique part
// of it, or among those that keep accepts as @last or @failed. A nil keep
// accepts all.
func (e *Env) FindRun(name string, keep func(runner.Run) bool) (runner.Run, error) {
	if name != Last && name != LastFailed {
		return e.Store.Find(name)
	}
	runs, err := e.Store.List()
	if err != nil {
		return runner.Run{}, err
	}
	for _, r := range runs {
		if (keep == nil || keep(r)) && (name == Last || r.State == runner.Failed) {
			return e.Store.Get(r.ID)
		}
	}
	if name == LastFailed {
		return runner.Run{}, client.NotFound("no analysis of this box failed")
	}
	return runner.Run{}, client.NotFound("no analysis was launched on this box yet; 'cytorun run NAME' starts one")
}

// OpenRun opens the server of a run in the run's project, whatever server is
// used now. It makes no request. Where there are no keys for that server, only
// asking it fails: the run folder can still be read.
func (e *Env) OpenRun(run runner.Run, ca string) (*Session, error) {
	config, err := profile.Load(e.Paths)
	if err != nil {
		return nil, err
	}
	sel := profile.Selection{Server: run.Server.URL, CA: ca}
	if config.Profiles[run.Server.Profile].URL == run.Server.URL {
		sel.Server = run.Server.Profile
	}
	// The keys of the environment are for its own server alone.
	if around, _ := profile.Environment(os.Getenv); isSite(around.URL, run.Server.URL) {
		sel.Server = ""
	}
	p, keys, err := profile.Resolve(e.Paths, sel, os.Getenv)
	if err != nil {
		p, keys = profile.Profile{Kind: run.Server.Kind, URL: run.Server.URL, CA: ca}, client.Keys{}
	}
	s, err := e.open(p, keys)
	if err != nil {
		return nil, err
	}
	s.Project = client.Project{ID: run.Project.ID, Name: run.Project.Name, Ontology: run.Project.Ontology}
	return s, nil
}

// home is a session of an analysis' own server, which may be another one.
func (s *Session) home(a Analysis) (*Session, error) {
	if a.Run == nil || a.Run.Server.URL == s.Profile.URL {
		return s, nil
	}
	home, err := s.Env.OpenRun(*a.Run, "")
	if err == nil && !home.HasKeys() {
		err = fmt.Errorf("no keys for it; run 'cytorun login %s'", a.Run.Server.URL)
	}
	if err != nil {
		return nil, fmt.Errorf("the results of %s lie on another server, %s: %w", a.Title(), text.Line(a.Run.Server.URL), err)
	}
	return home, nil
}

// isSite tells whether an address as it was typed is that of a site.
func isSite(typed, site string) bool {
	named, err := profile.NormaliseURL(typed)
	return err == nil && named == site
}

// Find finds one analysis by its run id or a unique part of it, job:12345,
// NAME#12 or NAME@VERSION#12, @last or @failed. The last two mean runs of this
// session's project.
func (s *Session) Find(ctx context.Context, name string) (Analysis, error) {
	if id, ok := strings.CutPrefix(name, "job:"); ok {
		return s.findJob(ctx, id)
	}
	if algorithm, n, ok := numbered(name); ok {
		return s.findNumber(ctx, algorithm, n)
	}
	run, err := s.Env.FindRun(name, s.owns)
	if err != nil {
		return Analysis{}, err
	}
	return s.withJob(ctx, Analysis{Run: &run}), nil
}

func (s *Session) findJob(ctx context.Context, id string) (Analysis, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return Analysis{}, fmt.Errorf("%q is no job: %w; write job:12345", text.Line("job:"+id), client.ErrNotFound)
	}
	job, err := s.Server.Job(ctx, client.ID(n))
	if errors.Is(err, client.ErrNotFound) {
		return Analysis{}, client.NotFound("no job %d on %s; 'cytorun analyses' lists them", n, s.Profile.URL)
	}
	if err != nil {
		return Analysis{}, err
	}
	runs, err := s.Env.Store.List()
	if err != nil {
		return Analysis{}, err
	}
	for i := range runs {
		if runs[i].Job == job.ID && runs[i].Server.URL == s.Profile.URL {
			return s.full(Analysis{Run: &runs[i], Job: &job})
		}
	}
	return Analysis{Job: &job}, nil
}

func (s *Session) findNumber(ctx context.Context, algorithm string, number int) (Analysis, error) {
	all, err := s.Analyses(ctx, AnalysisQuery{Max: 1000})
	if err != nil && len(all) == 0 {
		return Analysis{}, err
	}
	full := algorithm
	if base, version, ok := strings.Cut(algorithm, "@"); ok {
		full = client.Algorithm{Name: base, Version: version}.FullName()
	}
	var found []Analysis
	for _, a := range all {
		if a.Number() != number {
			continue
		}
		if base, _, _ := strings.Cut(a.Name(), " ("); strings.EqualFold(a.Name(), full) || strings.EqualFold(base, algorithm) {
			found = append(found, a)
		}
	}
	// A number is a job's, and on EXACT several runs may have had the same: it is the
	// newest's. They come newest first.
	jobs := map[client.ID]bool{}
	found = slices.DeleteFunc(found, func(a Analysis) bool {
		had := a.JobID() != 0 && jobs[a.JobID()]
		jobs[a.JobID()] = true
		return had
	})
	switch len(found) {
	case 0:
		return Analysis{}, client.NotFound("no analysis %q; 'cytorun analyses' lists them", text.Line(fmt.Sprintf("%s#%d", algorithm, number)))
	case 1:
		return s.full(found[0])
	}
	e := &ErrAmbiguous{What: "analyses", Name: fmt.Sprintf("%s#%d", algorithm, number)}
	for _, a := range found {
		e.Candidates = append(e.Candidates, a.Key())
	}
	return Analysis{}, e
}
