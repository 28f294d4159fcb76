package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/supervisor"
)

// AnalysisQuery selects analyses.
type AnalysisQuery struct {
	Algorithm client.ID // 0: all
	Max       int       // of the server's jobs; 0 means 200
	// AllProjects also lists runs of other projects and servers on this box.
	AllProjects bool
}

// runs are the runs of this session's server and project, newest first.
func (s *Session) runs() ([]runner.Run, error) {
	all, err := s.Env.Store.List()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(r runner.Run) bool { return !s.owns(r) }), nil
}

func (s *Session) owns(r runner.Run) bool {
	return r.Server.URL == s.Profile.URL && (s.Project.ID == 0 || r.Project.ID == s.Project.ID)
}

// LocalAnalyses lists the runs of this box without asking the server.
func (s *Session) LocalAnalyses() ([]Analysis, error) {
	runs, err := s.runs()
	if err != nil {
		return nil, err
	}
	return join(runs, nil), nil
}

// Analyses joins the server's jobs with the runs of this box, newest first. If
// the server does not answer, the runs are returned together with its error; a
// session that is not connected does not ask it.
func (s *Session) Analyses(ctx context.Context, q AnalysisQuery) ([]Analysis, error) {
	runs, err := s.runs()
	if q.AllProjects {
		runs, err = s.Env.Store.List()
	}
	if err != nil {
		return nil, err
	}
	if q.Algorithm != 0 {
		runs = slices.DeleteFunc(runs, func(r runner.Run) bool { return r.Algorithm.ID != q.Algorithm })
	}
	if !s.Connected() {
		return join(runs, nil), nil
	}
	if q.Max == 0 {
		q.Max = 200
	}
	filter := client.JobFilter{Project: s.Project.ID, Max: q.Max}
	if q.Algorithm != 0 {
		filter.Algorithms = []client.ID{q.Algorithm}
	}
	page, err := s.Server.Jobs(ctx, filter)
	if err != nil {
		return join(runs, nil), fmt.Errorf("cannot list the jobs of the server, showing the runs of this box: %w", err)
	}
	// A run of another server has ids of its own: only ours may meet a job.
	var ours, others []runner.Run
	for _, r := range runs {
		if r.Server.URL == s.Profile.URL {
			ours = append(ours, r)
		} else {
			others = append(others, r)
		}
	}
	return sortAnalyses(append(join(ours, page.Jobs), join(others, nil)...)), nil
}

// join puts jobs and runs of one server together: by the job that the run
// recorded, else by the run id that the job's comment names.
func join(runs []runner.Run, jobs []client.Job) []Analysis {
	out := make([]Analysis, 0, len(runs)+len(jobs))
	byJob := make(map[client.ID]int, len(runs))
	byRun := make(map[string]int, len(runs))
	for i := range runs {
		r := runs[i]
		out = append(out, Analysis{Run: &r})
		if r.Job != 0 {
			// On EXACT a run may redo the job of an earlier one: it is the newest's.
			if at, ok := byJob[r.Job]; !ok || r.Created.After(runs[at].Created) {
				byJob[r.Job] = i
			}
		} else {
			byRun[r.ID] = i
		}
	}
	for i := range jobs {
		j := jobs[i]
		at, ok := byJob[j.ID]
		if !ok {
			at, ok = byRun[runOf(j)]
		}
		if ok {
			out[at].Job = &j
		} else {
			out = append(out, Analysis{Job: &j})
		}
	}
	return sortAnalyses(out)
}

// runOf is the run id that the comment of a job names, or nothing. The comment
// is what the supervisor wrote, and anything after it.
func runOf(j client.Job) string {
	rest, _ := strings.CutPrefix(j.Comment, "cytorun ")
	id, _, _ := strings.Cut(rest, " ")
	return id
}

func sortAnalyses(as []Analysis) []Analysis {
	sort.SliceStable(as, func(i, j int) bool { return as[i].Created().After(as[j].Created()) })
	return as
}

// withJob reads the job of a run; a server that does not answer leaves it out.
func (s *Session) withJob(ctx context.Context, a Analysis) Analysis {
	if a.Run == nil || a.Run.Job == 0 || a.Run.Server.URL != s.Profile.URL || s.redone(a) {
		return a
	}
	if job, err := s.Server.Job(ctx, a.Run.Job); err == nil {
		a.Job = &job
	}
	return a
}

// Refresh reads an analysis again.
func (s *Session) Refresh(ctx context.Context, a Analysis) (Analysis, error) {
	if a.Run != nil {
		run, err := s.Env.Store.Get(a.Run.ID)
		if err != nil {
			return a, err
		}
		// The job as it was read before says nothing of the run as it is now.
		return Analysis{Run: &run}, nil
	}
	job, err := s.Server.Job(ctx, a.Job.ID)
	if err != nil {
		return a, err
	}
	a.Job = &job
	return a, nil
}

// Cancel asks for the end of an analysis. A run here ends soon; a job that runs
// elsewhere cannot be reached from here.
func (s *Session) Cancel(_ context.Context, a Analysis) error {
	if !a.State().Live {
		return fmt.Errorf("cannot cancel %s: it is over already, %s", a.Title(), text.Line(a.State().Word))
	}
	if a.Run == nil {
		return fmt.Errorf("cannot cancel %s: it runs elsewhere, and the server offers no way to reach it", a.Title())
	}
	if a.Run.ForeignHost {
		return fmt.Errorf("cannot cancel %s: it belongs to host %s; run 'cytorun cancel %s' there", a.Title(), a.Run.Host, a.Run.ID)
	}
	return supervisor.Cancel(*a.Run, s.Env.Executable, s.Env.User)
}

// full reads all of an analysis' spec; lists come without values and parameters.
func (s *Session) full(a Analysis) (Analysis, error) {
	if a.Run == nil || a.Run.Algorithm.Parameters != nil {
		return a, nil
	}
	run, err := runner.ReadFolder(a.Run.Folder)
	if err != nil {
		return a, err
	}
	a.Run = &run
	return a, nil
}

// Values are the values that an analysis was launched with, for a rerun or the
// form. Keys and what the server fills are not among them.
func (s *Session) Values(ctx context.Context, a Analysis) ([]client.Value, error) {
	if a.Run != nil {
		full, err := s.full(a)
		if err != nil {
			return nil, err
		}
		values := slices.Clone(full.Run.Values)
		for i := range values {
			values[i].Origin = client.FromAnalysis
		}
		return values, nil
	}
	if a.Job == nil {
		return nil, errors.New("no analysis")
	}
	job := *a.Job
	if len(job.Parameters) == 0 {
		full, err := s.Server.Job(ctx, job.ID)
		if err != nil {
			return nil, err
		}
		job = full
	}
	return jobValues(job), nil
}
