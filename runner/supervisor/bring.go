package supervisor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/report"
	"github.com/cytorun/cytorun/runner/upload"
)

// brought is what became of the files of a program.
type brought struct {
	err      error // why they are not on the server; nil where they are
	warnings []string
	sent     upload.Sent
}

// bringFiles brings what a file program left to the server, however long the server
// is away. It may be begun again by the next supervisor. Nothing half written stays
// where it is given up.
func (s *supervisor) bringFiles(digest string) brought {
	x, ok := s.exactServer()
	if !ok {
		return brought{err: client.ErrUnsupported}
	}
	ctx, stop := context.WithCancelCause(s.ctx)
	defer stop(nil)
	run := s.run()
	job := upload.Job{Server: x, Run: run, Folder: filepath.Join(s.home(), outputDir), Digest: digest}
	var b brought
	var found upload.Found
	err := s.untilServer(func(_ context.Context, _ client.Server) error {
		s.waiting("reading its annotations")
		var err error
		found, err = job.Check(ctx)
		return err
	})
	if err != nil {
		b.err = err
		return b
	}
	b.warnings = found.Warnings()
	teller := &teller{s: s, x: x, run: run, stop: stop}
	job.Progress = teller.told
	err = s.untilServer(func(_ context.Context, _ client.Server) error {
		if err := bounded(ctx, func(ctx context.Context) error { return report.Held(ctx, x, run.Spec, run.Job) }); err != nil {
			return err
		}
		sent, err := job.Send(ctx, found)
		if sent.Result != 0 {
			b.sent.Result = sent.Result
		}
		if err != nil {
			return cmpCause(ctx, err)
		}
		b.sent = sent
		return nil
	})
	teller.wait()
	if b.err = err; err == nil || needsKeys(err) {
		return b
	}
	if lostJob(err) {
		s.giveUp(err)
	}
	// A fresh context: the one of the run may have ended.
	undo, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	if err := job.Undo(undo, found, b.sent); err != nil {
		b.warnings = append(b.warnings, "some of its annotations are left on the server: "+oneLine(err.Error()))
	}
	return b
}

// needsKeys tells that only a person can help, with keys that are accepted.
func needsKeys(err error) bool {
	return errors.Is(err, errNoKeys) || errors.Is(err, client.ErrUnauthorised)
}

// cmpCause prefers why the context ended over what that broke.
func cmpCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && lostJob(cause) {
		return cause
	}
	return err
}

// teller passes the progress of an upload on, to the run folder and to the job, and
// finds out whether the job is still ours.
type teller struct {
	s    *supervisor
	x    *exact.Client
	run  runner.Run
	stop context.CancelCauseFunc

	last time.Time
	busy sync.WaitGroup
	at   chan struct{} // nil: nobody tells the server right now
}

// told is called one call at a time.
func (t *teller) told(done, total int) {
	now := time.Now()
	if now.Sub(t.last) < exactTick && done < total || total == 0 {
		return
	}
	t.last = now
	t.s.waiting(fmt.Sprintf("bringing its annotations to the server: %s of %s", text.Count(done), text.Count(total)))
	if t.at != nil {
		select {
		case <-t.at:
		default:
			return // the server is slow
		}
	}
	at := make(chan struct{})
	t.at = at
	percent := share + (99-share)*float64(done)/float64(total)
	t.busy.Go(func() {
		defer close(at)
		err := bounded(t.s.ctx, func(ctx context.Context) error { return report.ExactProgress(ctx, t.x, t.run, percent) })
		if lostJob(err) {
			t.stop(err)
		}
	})
}

func (t *teller) wait() { t.busy.Wait() }

// verdict changes the judgement of a program that ended well by what became of its
// files.
func (b brought) verdict(run runner.Run, r runner.Result, cancel *runner.CancelRequest) runner.Result {
	r.Warnings = append(r.Warnings, b.warnings...)
	switch {
	case b.err == nil:
		r.Annotations = b.sent.Annotations
		if run.Strict && len(r.Warnings) > 0 && r.State == runner.Succeeded {
			r.State, r.Reason = runner.Failed, "strict: "+r.Warnings[0]
		}
		return r
	case errors.Is(b.err, errCancelled) || cancel != nil || lostJob(b.err):
		r.State, r.Reason = runner.Cancelled, "cancelled while its annotations were brought to the server"
		if cancel != nil && cancel.Reason != "" {
			r.Reason = cancel.Reason
		}
	default:
		r.State, r.Reason = runner.Failed, "its annotations cannot be brought to the server: "+oneLine(b.err.Error())
		r.Advice = "its files are in the run folder, in work/home/output"
	}
	r.Annotations = 0
	return r
}
