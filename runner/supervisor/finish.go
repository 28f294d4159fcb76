package supervisor

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/gpu"
	"github.com/cytorun/cytorun/runner/logfile"
	"github.com/cytorun/cytorun/runner/report"
)

// How long the end of a run waits for the server before it is called without
// it, and how long the supervisor goes on trying afterwards. Tests shorten them.
var (
	verdictPatience = 10 * time.Second
	deliverPatience = 15 * time.Second
	deliverAtAll    = 24 * time.Hour
)

// finish judges a program that ended and reports.
func (s *supervisor) finish(started runner.Started, exit runner.Exit) error {
	e := evidence{run: s.run(), exit: exit, left: unknown, stopped: s.stopped.Load(), timeUp: s.timeUp.Load(), memoryLimit: s.memoryLimit()}
	if c, ok := runner.CancelRequested(s.folder); ok {
		e.cancel = &c
	}
	var files *brought
	if exit.Code == 0 && e.cancel == nil && e.run.Server.Kind == client.Exact && e.run.Algorithm.IsFileProgram() {
		b := s.bringFiles(started.Digest)
		if needsKeys(b.err) { // a person has to act, and the next start of anything goes on
			s.waiting("its annotations wait for keys: " + oneLine(b.err.Error()))
			return b.err
		}
		files = &b
		if c, ok := runner.CancelRequested(s.folder); ok && b.err != nil {
			e.cancel = &c
		}
	}
	s.askServer(&e)
	if files != nil {
		e.left = unknown // what it wrote was seen here
	}
	// Looking for the first error reads the whole log, perhaps a gigabyte.
	if exit.Code != 0 || e.job != nil && e.job.Status == client.Failed {
		s.readLog(&e)
	}
	if s.used != nil {
		e.used = *s.used
	}
	result := judge(e)
	if files != nil && (result.State == runner.Succeeded || e.cancel != nil) {
		result = files.verdict(e.run, result, e.cancel)
	}
	result.Digest, result.GPU = started.Digest, s.used
	if line := s.sif.overwritten(); line != "" {
		result.Warnings = append(result.Warnings, line)
	}
	s.noteUsage(exit)
	return s.end(result)
}

// readLog reads what a failure says of itself: the end of the log, its most
// telling line and its last one.
func (s *supervisor) readLog(e *evidence) {
	f, err := os.Open(s.path(runner.LogFile))
	if err != nil {
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return
	}
	e.tail = logTail(f, st.Size())
	e.firstError, _ = logfile.FirstError(f, st.Size())
	e.lastLine, _ = logfile.LastLine(f, st.Size())
}

// logTail is the end of a log of so many bytes.
func logTail(f io.ReaderAt, size int64) string {
	const most = 16 << 10
	b, _ := io.ReadAll(io.NewSectionReader(f, max(0, size-most), most))
	return string(b)
}

// askServer learns what the program told the server, as far as the server
// answers soon.
func (s *supervisor) askServer(e *evidence) {
	patience := verdictPatience
	if e.cancel != nil {
		// What a person asked for counts whatever the program told the server.
		patience = min(patience, time.Second)
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		err := s.withServer(ctx, func(ctx context.Context, server client.Server) error {
			job, err := server.Job(ctx, e.run.Job)
			if err != nil {
				return err
			}
			e.job = &job
			e.left = results(ctx, server, job)
			return nil
		})
		if err == nil || !client.Transient(err) {
			if err != nil {
				s.log.Warn("judged without the server", "error", err)
			}
			return
		}
		if s.pause(ctx, pause) != nil {
			s.log.Warn("judged without the server", "error", err)
			return
		}
	}
}

// detail is the end of the log for a server that keeps no logs, without secrets.
func (s *supervisor) detail(result runner.Result) string {
	if s.run().Server.Kind != client.Exact || result.State == runner.Succeeded {
		return ""
	}
	f, err := os.Open(s.path(runner.LogFile))
	if err != nil {
		return ""
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return ""
	}
	tail := logTail(f, st.Size())
	const most = 4 << 10
	if len(tail) > most {
		_, tail, _ = strings.Cut(tail[len(tail)-most:], "\n")
	}
	return s.hide(text.Block(tail))
}

// cancelled ends a run that never started.
func (s *supervisor) cancelled() error {
	reason := "cancelled before it started"
	if c, ok := runner.CancelRequested(s.folder); ok {
		reason = "cancelled by " + c.By + " before it started"
		if c.Reason != "" {
			reason = c.Reason
		}
	}
	return s.end(runner.Result{State: runner.Cancelled, Reason: reason})
}

// end writes the verdict and what the server has to be told, in an order that
// lets the next supervisor go on after a kill at any point.
func (s *supervisor) end(result runner.Result) error {
	if result.Ended.IsZero() {
		result.Ended = time.Now().UTC()
	}
	if result.Exit == nil {
		result.Annotations = -1
	}
	// A program may end with its own arguments as its last words.
	result.Reason, result.FirstError = s.hide(result.Reason), s.hide(result.FirstError)
	for i, w := range result.Warnings {
		result.Warnings[i] = s.hide(w)
	}
	if result.State == runner.Failed && result.Advice == "" {
		result.Advice = advise(result.Reason)
	}
	gpu.Leave(s.run().ID, s.run().Ticket)
	box := report.Outbox{Folder: s.folder}
	// Left over from a supervisor that died before its verdict.
	if err := box.Clear(); err != nil {
		return err
	}
	var messages []report.Message
	if _, err := os.Stat(s.path(runner.LogFile)); err == nil {
		messages = append(messages, report.Message{Log: true})
	}
	messages = append(messages, report.Message{End: &report.End{State: result.State, Reason: result.Reason, Detail: s.detail(result)}})
	if s.mayHaveToTell() {
		if err := s.persist(func() error { return box.Add(messages...) }); err != nil {
			return err
		}
	}
	result.Unreported, result.Untold = "not yet reported to the server", s.somebodyListens()
	if err := s.persist(func() error { return s.journal.Finish(result) }); err != nil {
		return err
	}
	return s.conclude(result)
}

// mayHaveToTell tells whether the server can know of the run at all.
func (s *supervisor) mayHaveToTell() bool {
	if s.run().Job != 0 {
		return true
	}
	maybe, err := s.mayHaveJob()
	return maybe || err != nil
}

// conclude reports a verdict that is on disk and makes it the run's state. A
// server that does not answer soon does not hold up the state.
func (s *supervisor) conclude(result runner.Result) error {
	ctx, stop := context.WithTimeout(context.Background(), deliverPatience)
	err := s.report(ctx, &result)
	stop()
	if err != nil {
		result.Unreported = oneLine(err.Error())
	}
	if err := s.persist(func() error { return s.journal.Finish(result) }); err != nil {
		return err
	}
	at := runner.Event{Time: result.Ended, State: result.State, Reason: result.Reason}
	if err := s.event(at); err != nil {
		return err
	}
	return s.deliver()
}

// tell does what the end of the run means for others, once: a supervisor that
// was killed meanwhile leaves it to the next.
func (s *supervisor) tell(result *runner.Result) error {
	if !result.Untold {
		return nil
	}
	s.afterEnd(*result)
	result.Untold = false
	return s.persist(func() error { return s.journal.Finish(*result) })
}

// deliver tells what an ended run still has to tell: the person, and the server
// until it has it all or a day has passed.
func (s *supervisor) deliver() error {
	result, ok := runner.ReadResult(s.folder)
	if !ok {
		return nil
	}
	if err := s.tell(&result); err != nil || result.Confirmed {
		return err
	}
	// Killed while it amended its verdict.
	if s.run().State.CanBecome(result.State) {
		if err := s.event(runner.Event{State: result.State, Reason: result.Reason}); err != nil {
			return err
		}
	}
	ctx, stop := context.WithTimeout(context.Background(), deliverAtAll)
	defer stop()
	var pause backoff
	for {
		err := s.report(ctx, &result)
		if err == nil {
			return s.persist(func() error { return s.journal.Finish(result) })
		}
		if said := oneLine(err.Error()); said != result.Unreported {
			result.Unreported = said
			if err := s.persist(func() error { return s.journal.Finish(result) }); err != nil {
				return err
			}
		}
		// Neither time nor tries help against keys that are wrong or missing:
		// a person does, and then the next start of anything delivers.
		if errors.Is(err, errNoKeys) || errors.Is(err, client.ErrUnauthorised) {
			return nil
		}
		if s.pause(ctx, pause.next()) != nil {
			return nil
		}
	}
}

// report sends what is in the outbox. When it returns without an error the
// server knows all and the result says so.
func (s *supervisor) report(ctx context.Context, result *runner.Result) error {
	box := report.Outbox{Folder: s.folder}
	if !box.Empty() {
		err := s.withServer(ctx, func(ctx context.Context, server client.Server) error {
			if err := s.amend(ctx, server, result); err != nil {
				return err
			}
			return box.Deliver(ctx, report.Delivery{
				Server: server, Run: s.run(),
				Log: func() (*os.File, error) { return s.copyLog(ctx, server) },
				Refused: func(err error) {
					result.Warnings = append(result.Warnings, "the server refused a report: "+oneLine(err.Error()))
				},
			})
		})
		if err != nil {
			return err
		}
	}
	result.Confirmed, result.Unreported = true, ""
	return nil
}

// amend settles a verdict that was made without the server: a program that
// ended with exit 0 may have told the server that it failed.
func (s *supervisor) amend(ctx context.Context, server client.Server, result *runner.Result) error {
	if !result.Provisional || result.State != runner.Succeeded || s.run().Job == 0 {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, report.Timeout)
	defer stop()
	job, err := server.Job(ctx, s.run().Job)
	if errors.Is(err, client.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	result.Provisional = false
	result.Annotations = results(ctx, server, job).annotations
	if job.Status != client.Failed {
		return nil
	}
	e := evidence{run: s.run(), job: &job, firstError: result.FirstError}
	amended := *result
	amended.State, amended.Reason, amended.Warnings = runner.Failed, s.hide(e.ownFailure()), nil
	// The report first: a verdict that nobody reports would stay here alone.
	box := report.Outbox{Folder: s.folder}
	end := report.End{State: amended.State, Reason: amended.Reason}
	if err := s.persist(func() error { return box.ReplaceEnd(end) }); err != nil {
		return err
	}
	if err := s.persist(func() error { return s.journal.Finish(amended) }); err != nil {
		return err
	}
	*result = amended
	if s.run().State == runner.Succeeded {
		return s.event(runner.Event{State: runner.Failed, Reason: result.Reason})
	}
	return nil
}
