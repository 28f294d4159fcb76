package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/gpu"
	"github.com/cytorun/cytorun/runner/keep"
	"github.com/cytorun/cytorun/runner/report"
)

// launch takes a run that never started to its start, then watches it.
func (s *supervisor) launch() error {
	if s.ctx.Err() != nil {
		return errCancelled
	}
	s.find.begin(s.run().Runtime)
	if err := s.ensureJob(); err != nil {
		return err
	}
	if err := s.jobKeys(); err != nil {
		return err
	}
	done := s.tend()
	defer done()
	q, number, err := s.draw()
	if err != nil {
		return err
	}
	// A run that fetches its image has neither turn nor GPU meanwhile.
	if err := s.prepareFiles(); err != nil {
		return err
	}
	container, keeper, err := s.ready(q, number)
	if err != nil {
		return err
	}
	defer keeper.Dismiss()
	if reason := s.groupStopped(); reason != "" {
		keeper.Dismiss()
		return s.end(runner.Result{State: runner.Cancelled, Reason: reason})
	}
	if s.run().State == runner.Queued {
		if err := s.event(runner.Event{State: runner.Preparing}); err != nil {
			return err
		}
	}
	plan, err := s.plan(container)
	if s.ctx.Err() != nil {
		return errCancelled
	}
	if err != nil {
		return err
	}
	started, err := keeper.Start(plan)
	if err != nil {
		return s.notStarted(err)
	}
	if err := s.noteRunning(started); err != nil {
		return err
	}
	done()
	return s.watch(started, s.keeperEnd())
}

// notStarted goes on where a keeper did not say that the program runs: a keeper
// that was killed may have started it all the same.
func (s *supervisor) notStarted(said error) error {
	_, started, err := s.settled()
	switch {
	case err != nil:
		return err
	case started:
		return s.goOn()
	case s.orphans():
		return s.end(runner.Result{State: runner.Lost, Reason: reasonHalfStarted})
	}
	return said
}

// ensureJob makes the job on the server before the run waits for anything else.
func (s *supervisor) ensureJob() error {
	if s.run().Job != 0 {
		return nil
	}
	look, err := s.mayHaveJob()
	if err != nil {
		return err
	}
	if !look {
		// From here on an answer may get lost.
		if err := s.event(runner.Event{Facts: map[string]string{runner.FactCreating: "1"}}); err != nil {
			return err
		}
	}
	if err := s.keepReplaced(); err != nil {
		return err
	}
	var job client.Job
	err = s.untilServer(func(ctx context.Context, server client.Server) error {
		var err error
		job, err = report.CreateJob(ctx, server, s.run().Spec, look)
		look = true
		return err
	})
	if err != nil {
		return err
	}
	if err := s.event(runner.Event{Facts: map[string]string{
		runner.FactJob:       strconv.FormatInt(int64(job.ID), 10),
		runner.FactJobNumber: strconv.Itoa(job.Number),
		runner.FactUserJob:   strconv.FormatInt(int64(job.UserJob), 10),
	}}); err != nil {
		return err
	}
	if names := report.TooLong(s.run().Spec); len(names) > 0 {
		s.log.Warn("values too long for the server are not kept there", "parameters", names)
	}
	return nil
}

// mayHaveJob tells whether an earlier supervisor asked for the job.
func (s *supervisor) mayHaveJob() (bool, error) {
	events, err := runner.ReadEvents(s.folder)
	if err != nil {
		return false, err
	}
	for _, e := range events {
		if e.Facts[runner.FactCreating] != "" {
			return true, nil
		}
	}
	return false, nil
}

// jobKeys asks for the keys of the job's own user, the only ones that reach
// the program. A server without such users gives none.
func (s *supervisor) jobKeys() error {
	return s.untilServer(func(ctx context.Context, server client.Server) error {
		keys, err := fetchJobKeys(ctx, server, s.run())
		if errors.Is(err, client.ErrUnsupported) {
			return nil
		}
		s.linkMu.Lock()
		s.jobs = keys
		s.linkMu.Unlock()
		return err
	})
}

func fetchJobKeys(ctx context.Context, server client.Server, run runner.Run) (client.Keys, error) {
	ability, ok := server.(client.JobKeys)
	if !ok {
		return client.Keys{}, fmt.Errorf("keys of a job: %w", client.ErrUnsupported)
	}
	ctx, stop := context.WithTimeout(ctx, report.Timeout)
	defer stop()
	job := client.Job{ID: run.Job, UserJob: run.UserJob}
	keys, err := ability.JobKeys(ctx, job)
	if err != nil {
		return keys, fmt.Errorf("cannot get the keys of job %d: %w", job.ID, err)
	}
	return keys, nil
}

// queueUp waits for a slot of this box, hands it to a keeper, and asks for the
// server's answer while the run has it: a program whose server is away would
// only fail.
func (s *supervisor) queueUp(q *gpu.Queue, number int64) (*keep.Keeper, error) {
	var pause backoff
	for {
		grant, err := s.enter(q, number)
		if err != nil {
			if s.ctx.Err() != nil {
				err = errCancelled
			}
			return nil, err
		}
		keeper, err := keep.Prepare(s.folder, s.exe, grant.Files())
		grant.Close() // the keeper has it
		if err != nil {
			return nil, err
		}
		if uuids := grant.UUIDs(); !slices.Equal(uuids, s.run().GPUs) {
			if err := s.event(runner.Event{Facts: map[string]string{runner.FactGPUs: strings.Join(uuids, ",")}}); err != nil {
				keeper.Dismiss()
				return nil, err
			}
		}
		err = s.status(client.Running, "")
		if err == nil {
			return keeper, nil
		}
		keeper.Dismiss() // others may go first meanwhile
		if s.ctx.Err() != nil {
			return nil, errCancelled
		}
		if !client.Transient(err) && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		s.waiting("waiting for the server: " + err.Error())
		if err := s.pause(s.ctx, pause.next()); err != nil {
			return nil, errCancelled
		}
	}
}

// enter waits for the run's turn. A person's shell without GPUs needs none: it
// would wait for the very run that it is to look into.
func (s *supervisor) enter(q *gpu.Queue, number int64) (*gpu.Grant, error) {
	if s.run().Develop.ByHand() && s.request().GPUs() == 0 {
		return &gpu.Grant{}, nil
	}
	return q.Enter(s.ctx, number, s.request())
}

// status tells the server before the program starts.
func (s *supervisor) status(status client.Status, text string) error {
	return s.withServer(s.ctx, func(ctx context.Context, server client.Server) error {
		return report.Status(ctx, server, s.run(), status, text)
	})
}

// oneLine makes one line of what a program or a server said.
func oneLine(text string) string {
	const most = 500
	line := strings.Join(strings.Fields(text), " ")
	if r := []rune(line); len(r) > most {
		line = string(r[:most]) + "…"
	}
	return line
}
