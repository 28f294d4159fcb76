package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/runner/supervisor"
)

// LaunchRequest is everything that a launch needs to know.
type LaunchRequest struct {
	Algorithm client.Algorithm // complete, with the parameters set by the server
	Values    []client.Value   // of the parameters that people set
	Runtime   runner.Runtime   // empty: the session's
	// Container replaces the algorithm's own container when not empty.
	Container string
	// Cache is that of the spec.
	Cache []string
	// Resources are what it may use; Launch fills in what it is expected to take.
	runner.Resources
	Note   string
	Strict bool // a warning at the end is a failure
	// Develop is what the person adds or replaces; nil for an algorithm as it is.
	Develop *runner.Develop
	// Group, Part, From and StopAfter are those of the spec.
	Group     string
	Part      *runner.Part
	From      string
	StopAfter int
	// Take is that of the spec; see Settle.
	Take runner.TakeJob
	// Checked tells that Check has just agreed: the driver of the GPUs, which may
	// take long to answer, is not asked once more.
	Checked bool
	// ID is that of the run, where it was known before; empty makes a new one.
	ID string
}

// Launch checks the values, writes the run folder and starts the run's
// supervisor. It returns when the run is on disk and its supervisor lives; the
// job on the server, the container and all the rest are the supervisor's work.
// The values being invalid is a forms.Problems error.
func (s *Session) Launch(ctx context.Context, r LaunchRequest) (runner.Run, error) {
	r.Runtime = s.runtime(r)
	if err := s.Check(ctx, r); err != nil {
		return runner.Run{}, err
	}
	r = s.develop(ctx, []LaunchRequest{r})[0]
	spec := s.spec(r)
	spec.Resources.Expected = s.typical(r.Algorithm)
	run, err := s.Env.Store.Create(spec)
	if err != nil {
		return runner.Run{}, err
	}
	if err := supervisor.Start(run.Folder, s.Env.Executable, s.extraKeys()); err != nil {
		return run, fmt.Errorf("run %s is on disk but nobody watches it: %w; 'cytorun recover' tries again", run.ID, err)
	}
	return s.Env.Store.Get(run.ID)
}

// runtime is what a launch runs on.
func (s *Session) runtime(r LaunchRequest) runner.Runtime {
	switch {
	case r.Runtime != "":
		return r.Runtime
	case s.Runtime != "":
		return s.Runtime
	}
	return runner.Apptainer
}

// Check tells what Launch or LaunchAll would refuse: invalid values are a
// forms.Problems error, and so are GPUs that this box can never give.
func (s *Session) Check(ctx context.Context, requests ...LaunchRequest) error {
	for _, r := range requests {
		if err := s.check(ctx, r); err != nil {
			return err
		}
	}
	if s.isExact() {
		if err := s.checkExact(ctx, requests); err != nil {
			return err
		}
	}
	return refuseGPUs(ctx, requests)
}

func (s *Session) check(ctx context.Context, r LaunchRequest) error {
	r.Runtime = s.runtime(r)
	if s.isExact() && !PerImage(r.Algorithm) {
		return s.checkExact(ctx, []LaunchRequest{r})
	}
	problems := forms.Validate(UserParameters(r.Algorithm), r.Values)
	if r.Develop.ByHand() {
		problems = slices.DeleteFunc(problems, func(p forms.Problem) bool { return p.Missing })
	}
	if problems.Errors() > 0 {
		return problems
	}
	if s.Project.ID == 0 {
		return fmt.Errorf("no project is open on %s: %w; try again when it answers", s.Profile.URL, client.ErrUnreachable)
	}
	if s.Project.ReadOnly {
		return fmt.Errorf("project %s is read-only: the server would refuse the results; choose another with -P", text.Line(s.Project.Name))
	}
	if err := s.checkDevelop(r); err != nil {
		return forms.Problems{{Parameter: "launch", Message: err.Error()}}
	}
	if r.Container == "" && ContainerReference(r.Algorithm) == "" && r.Runtime != runner.Process {
		where := "on the server"
		if s.isExact() {
			where = "in its descriptor"
		}
		return fmt.Errorf("algorithm %s has no container %s; name one with --container docker://IMAGE:TAG or a .sif file", text.Line(r.Algorithm.Name), where)
	}
	return apptainer.CheckNamed(r.Container)
}

func (s *Session) spec(r LaunchRequest) runner.Spec {
	now := s.Env.Now().UTC()
	spec := runner.Spec{
		Schema:    runner.Schema,
		ID:        r.ID,
		Group:     r.Group,
		Part:      r.Part,
		From:      r.From,
		StopAfter: r.StopAfter,
		Created:   now,
		Server:    runner.ServerRef{Kind: s.Profile.Kind, URL: s.Profile.URL, Profile: s.Profile.Name},
		Project:   runner.ProjectRef{ID: s.Project.ID, Name: s.Project.Name, Ontology: s.Project.Ontology},
		Values:    r.Values,
		Runtime:   r.Runtime,
		Resources: r.Resources,
		Cache:     r.Cache,
		Note:      r.Note,
		Strict:    r.Strict,
		Develop:   r.Develop,
		Person:    s.User.Username,
		User:      s.Env.User,
		Host:      s.Env.Host,
		BootID:    runner.BootID(),
		Cytorun:   s.Env.Version,
		Algorithm: algorithmSpec(r.Algorithm),
	}
	if s.isExact() {
		spec.Take = r.Take
		if images := chosenImages(r.Values); len(images) == 1 {
			spec.Image = images[0]
		}
	}
	spec.Resources.GPUs = r.request().GPUs()
	if r.Container != "" && r.Runtime != runner.Process {
		spec.Algorithm.Container = apptainer.Absolute(r.Container)
	}
	if r.Runtime != runner.Process {
		spec.Develop = instead(spec.Develop, ContainerReference(r.Algorithm), spec.Algorithm.Container)
	}
	return spec
}

// algorithmSpec is an algorithm as a run keeps it.
func algorithmSpec(a client.Algorithm) runner.AlgorithmSpec {
	spec := runner.AlgorithmSpec{ID: a.ID, Name: a.Name, Version: a.Version, Container: ContainerReference(a), CommandLine: a.CommandLine, Package: a.Package, Writes: a.Writes}
	for _, p := range a.Parameters {
		spec.Parameters = append(spec.Parameters, runner.ParameterSpec{ServerID: p.ServerID, Parameter: p.Parameter})
	}
	return spec
}

// extraKeys are the keys that the supervisor cannot read from a profile by
// itself, because they came from flags or the environment.
func (s *Session) extraKeys() client.Keys {
	if s.Profile.Name != "" {
		if stored, ok, err := profile.LoadKeys(s.Env.Paths, s.Profile.Name); err == nil && ok && stored == s.keys {
			return client.Keys{}
		}
	}
	return s.keys
}

// UserParameters are the parameters of an algorithm that a person sets, in the
// order of the form. The five standard inputs are recognised by name too:
// descriptors forget to mark them, and mark ordinary parameters as set by the
// server, which then get their default.
func UserParameters(a client.Algorithm) []descriptor.Parameter {
	var ps []descriptor.Parameter
	for _, p := range a.Parameters {
		if !p.SetByServer && !p.IsServerInput() && !p.ServerParameter {
			ps = append(ps, p.Parameter)
		}
	}
	return ps
}
