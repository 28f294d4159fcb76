package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/runner"
)

// On EXACT a run is a worker of the server: it claims its job by writing its name
// on it, tells its progress, and frees the job at the end (contract §5.1). Nothing
// there is compared before it is set, and every write replaces the whole row, so a
// claim is read again before it counts.

// ErrTaken tells that another worker has the job of a run. Nothing may be written
// to it any more.
var ErrTaken = errors.New("another worker has the job")

// ErrGone tells that the job of a run is no longer on the server, which on EXACT
// is how people stop one.
var ErrGone = errors.New("the job was deleted on the server")

// maxWorker is the server's limit for the name of a worker, in bytes to be safe.
const maxWorker = 200

// Worker is the name under which a run holds its job: the host and something that
// nobody else has, as EXACT's own workers write it. All supervisors of a run use
// the same, so that a new one knows the claim of the one before.
func Worker(spec runner.Spec) string {
	host := spec.Host
	if most := maxWorker - len(spec.ID) - 1; len(host) > most {
		host = host[:max(most, 0)]
	}
	return host + "_" + spec.ID
}

// createExact makes the job of a run on an EXACT server, or takes the one that the
// run is to execute, and claims it. look is as for CreateJob.
func createExact(ctx context.Context, server *exact.Client, spec runner.Spec, look bool) (client.Job, error) {
	var job exact.PluginJob
	var err error
	if spec.Take.ID != 0 {
		job, err = take(ctx, server, spec)
	} else {
		job, err = create(ctx, server, spec, look)
	}
	if err != nil {
		return client.Job{}, err
	}
	if err := Claim(ctx, server, spec, job.ID); err != nil {
		return client.Job{}, err
	}
	return server.Job(ctx, job.ID)
}

func create(ctx context.Context, server *exact.Client, spec runner.Spec, look bool) (exact.PluginJob, error) {
	job, err := server.CreatePluginJob(ctx, spec.Image.ID, spec.Algorithm.ID)
	var there *exact.DuplicateError
	if !errors.As(err, &there) {
		return job, err
	}
	j := there.Job
	switch {
	case j.ID == 0:
	case j.Worker == Worker(spec):
		return j, nil
	case look && j.Worker == "" && j.State() == exact.StatePending && j.Created.After(spec.Created.Add(-5*time.Minute)):
		return j, nil // ours, whose answer was lost
	}
	return j, fmt.Errorf("%s has job %d of %s already, and EXACT keeps one for each image: launch it again with --existing redo: %w",
		imageName(spec), j.ID, spec.Algorithm.Name, err)
}

func imageName(spec runner.Spec) string {
	if spec.Image.Name != "" {
		return "image " + spec.Image.Name
	}
	return fmt.Sprintf("image %d", spec.Image.ID)
}

// take looks at the job that a run is to execute, and makes it fresh where a person
// agreed to that.
func take(ctx context.Context, server *exact.Client, spec runner.Spec) (exact.PluginJob, error) {
	j, err := readJob(ctx, server, spec.Take.ID)
	switch {
	case errors.Is(err, ErrGone) && spec.Take.Restart:
		return create(ctx, server, spec, true) // it was deleted: all the better
	case err != nil:
		return j, err
	case j.Plugin != spec.Algorithm.ID || j.Image != spec.Image.ID:
		return j, fmt.Errorf("job %d is now of plugin %d on image %d: %w", j.ID, j.Plugin, j.Image, ErrTaken)
	case j.Worker == Worker(spec):
		return j, nil
	case j.State() == exact.StateClaimed:
		return j, fmt.Errorf("job %d: %w, %s", j.ID, ErrTaken, j.Worker)
	case spec.Take.Restart && (!j.Claimable() || j.Worker != "" || j.Progress != 0):
		if j, err = server.RestartPluginJob(ctx, j.ID); err != nil {
			return j, fmt.Errorf("cannot make job %d fresh: %w", spec.Take.ID, err)
		}
		return j, nil
	case !j.Claimable():
		return j, fmt.Errorf("job %d is over already, or has a result: %w", j.ID, ErrTaken)
	}
	return j, nil
}

// readJob reads a job; one that is not there is ErrGone.
func readJob(ctx context.Context, server *exact.Client, id client.ID) (exact.PluginJob, error) {
	j, err := server.PluginJob(ctx, id)
	if errors.Is(err, client.ErrNotFound) {
		return j, fmt.Errorf("job %d: %w", id, ErrGone)
	}
	return j, err
}

// Held tells whether the run still holds its job: nil, ErrTaken or ErrGone. Where
// the name was wiped off, by a write of somebody else who had read the row before
// it was there, it is written again.
func Held(ctx context.Context, server *exact.Client, spec runner.Spec, id client.ID) error {
	j, err := readJob(ctx, server, id)
	if err != nil {
		return err
	}
	return holds(ctx, server, spec, j)
}

func holds(ctx context.Context, server *exact.Client, spec runner.Spec, j exact.PluginJob) error {
	me := Worker(spec)
	switch j.Worker {
	case me:
		return nil
	case "":
		_, err := server.PatchPluginJob(ctx, j.ID, exact.JobPatch{Worker: &me})
		return gone(j.ID, err)
	}
	return fmt.Errorf("job %d: %w, %s", j.ID, ErrTaken, j.Worker)
}

func gone(id client.ID, err error) error {
	if errors.Is(err, client.ErrNotFound) {
		return fmt.Errorf("job %d: %w", id, ErrGone)
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// began is the progress by which EXACT's own workers say that they have begun.
const began = 0.01

// beginExact says that the program of a run starts.
func beginExact(ctx context.Context, server *exact.Client, run runner.Run) error {
	j, err := readJob(ctx, server, run.Job)
	if err != nil {
		return err
	}
	if err := holds(ctx, server, run.Spec, j); err != nil || j.Progress > 0 {
		return err
	}
	return ExactProgress(ctx, server, run, began)
}

// ExactProgress writes the progress of a run, in percent, and the time with it. The
// answer tells whether the run still holds its job.
func ExactProgress(ctx context.Context, server *exact.Client, run runner.Run, percent float64) error {
	percent = min(max(percent, began), 99.9) // exactly 100 is the end
	j, err := server.PatchPluginJob(ctx, run.Job, exact.JobPatch{Progress: &percent})
	if err != nil {
		return gone(run.Job, err)
	}
	return holds(ctx, server, run.Spec, j)
}

// findExact looks for the job that a run made or took.
func findExact(ctx context.Context, server *exact.Client, spec runner.Spec) (client.Job, error) {
	jobs, err := server.PluginJobs(ctx, exact.JobQuery{Image: spec.Image.ID})
	if err != nil {
		return client.Job{}, fmt.Errorf("cannot look for the job of run %s on the server: %w", spec.ID, err)
	}
	for _, j := range jobs {
		if j.Plugin == spec.Algorithm.ID && j.Worker == Worker(spec) {
			return server.Job(ctx, j.ID)
		}
	}
	return client.Job{}, client.NotFound("no job of run %s", spec.ID)
}

// sendExact writes the end of a run to its job. It may be repeated.
func (e End) sendExact(ctx context.Context, server *exact.Client, run runner.Run, job client.ID) error {
	j, err := readJob(ctx, server, job)
	if errors.Is(err, ErrGone) {
		return nil // whoever deleted it does not want to know
	}
	if err != nil {
		return err
	}
	if j.Worker != "" && j.Worker != Worker(run.Spec) {
		return fmt.Errorf("%w, %s: nothing was written to it", ErrTaken, j.Worker)
	}
	none := ""
	if e.State == runner.Succeeded {
		name := "" // left on the job
		if k := run.Take.Keeper; k != "" && runner.Held(k) {
			name = Worker(run.Spec)
		}
		if j.State() == exact.StateDone && j.Worker == name {
			return nil // told already, and the answer was lost
		}
		if j.Result != 0 {
			if err := server.CompleteResult(ctx, j.Result); err != nil && !errors.Is(err, client.ErrForbidden) {
				return err
			}
		}
		all := 100.0
		if _, err := server.PatchPluginJob(ctx, job, exact.JobPatch{Progress: &all}); err != nil {
			return err
		}
		return patchUntil(ctx, server, job, exact.JobPatch{ErrorMessage: &none, ErrorDetail: &none, Worker: &name, Progress: &all}, func(j exact.PluginJob) bool {
			return j.State() == exact.StateDone && j.Worker == name
		})
	}
	// What the program itself said of its failure is the better word.
	if own := said(run.ID, j.ErrorMessage); own == "" {
		message, detail := Comment(run.ID, "Error: "+e.Reason), e.Detail
		if _, err := server.PatchPluginJob(ctx, job, exact.JobPatch{ErrorMessage: &message, ErrorDetail: &detail}); err != nil {
			return err
		}
	}
	return patchUntil(ctx, server, job, exact.JobPatch{Worker: &none}, func(j exact.PluginJob) bool { return j.Worker == "" })
}

// patchUntil writes columns of a job, and writes them again where somebody's write
// at the same moment put an older row in their place.
func patchUntil(ctx context.Context, server *exact.Client, job client.ID, p exact.JobPatch, done func(exact.PluginJob) bool) error {
	for try := 0; ; try++ {
		if _, err := server.PatchPluginJob(ctx, job, p); err != nil {
			return err
		}
		j, err := readJob(ctx, server, job)
		if errors.Is(err, ErrGone) {
			return nil
		}
		if err != nil || done(j) || try == 3 {
			return err
		}
	}
}
