package supervisor

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/report"
)

// How often the server is asked about a running job: often at first, when a
// person may be looking, and less and less. Tests shorten them.
var (
	askFirst = 3 * time.Second
	askLast  = 30 * time.Second
	// putEvery is the least pause between writes of progress to the server.
	putEvery = time.Minute
	// firstLog is when the log is attached for the first time; then at twice
	// that, four times, and so on.
	firstLog = time.Minute
)

// observe keeps the server and the run folder acquainted while the program
// runs: progress that the program reports to the server comes back here, the
// log goes there at growing intervals. The channel carries progress.
func (s *supervisor) observe(ctx context.Context, started runner.Started, fromLog func() int) <-chan int {
	if x, ok := s.exactServer(); ok {
		return s.observeExact(ctx, x, fromLog)
	}
	out := make(chan int)
	o := &observer{s: s, run: s.run(), fromLog: fromLog, out: out, nextLog: started.Time.Add(firstLog)}
	for o.nextLog.Before(time.Now()) {
		o.nextLog = started.Time.Add(2 * o.nextLog.Sub(started.Time))
	}
	o.logAfter = o.nextLog.Sub(started.Time)
	go o.loop(ctx)
	return out
}

type observer struct {
	s       *supervisor
	run     runner.Run
	fromLog func() int
	out     chan<- int

	nextLog  time.Time
	logAfter time.Duration // from the start to nextLog
	logSize  int64

	lastPut int // progress that we wrote
	putAt   time.Time
	silent  bool // the program reports by itself: we only read
}

func (o *observer) loop(ctx context.Context) {
	for ask := askFirst; ; ask = min(ask*3/2, askLast) {
		if o.s.pause(ctx, min(ask, max(time.Until(o.nextLog), 10*time.Millisecond))) != nil {
			return
		}
		err := o.s.withServer(ctx, o.exchange)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			o.s.log.Warn("the server does not answer while the program runs", "error", err)
		}
	}
}

func (o *observer) exchange(ctx context.Context, server client.Server) error {
	if !time.Now().Before(o.nextLog) {
		o.logAfter *= 2
		o.nextLog = o.nextLog.Add(o.logAfter / 2)
		if err := o.attach(ctx, server); err != nil {
			return err
		}
	}
	short, stop := context.WithTimeout(ctx, report.Timeout)
	defer stop()
	job, err := server.Job(short, o.run.Job)
	if err != nil {
		return err
	}
	if job.Progress != o.lastPut || job.Status != client.Running {
		o.silent = true
	}
	if job.Progress > 0 && o.silent {
		select {
		case o.out <- job.Progress:
		case <-ctx.Done():
		}
	}
	return o.put(ctx, server)
}

// put writes the progress that the log tells, for a program that writes none.
func (o *observer) put(ctx context.Context, server client.Server) error {
	percent := min(o.fromLog(), 99) // 100 is for the end
	if o.silent || percent <= o.lastPut || time.Since(o.putAt) < putEvery {
		return nil
	}
	o.putAt = time.Now()
	done, err := report.Progress(ctx, server, o.run, percent, o.lastPut)
	o.silent = o.silent || done
	if err == nil && !done {
		o.lastPut = percent
	}
	return err
}

// attach replaces the log on the server, if it has grown.
func (o *observer) attach(ctx context.Context, server client.Server) error {
	st, err := os.Stat(o.s.path(runner.LogFile))
	if err != nil || st.Size() == o.logSize {
		return nil
	}
	o.logSize = st.Size()
	return report.AttachLog(ctx, server, o.run.Job, func() (*os.File, error) { return o.s.copyLog(ctx, server) })
}

// copyLog makes the log as the server may have it. Without knowing the secrets
// nothing is handed out.
func (s *supervisor) copyLog(ctx context.Context, server client.Server) (*os.File, error) {
	secrets, err := s.secrets(ctx, server)
	if err != nil {
		return nil, err
	}
	if name := s.unknownVariable(); name != "" {
		return report.NoLog(s.folder, "the log stays on its box: it may hold the value of "+name+", which is kept nowhere")
	}
	return report.PrepareLog(s.folder, secrets)
}

// secrets are the keys that a program may have printed.
func (s *supervisor) secrets(ctx context.Context, server client.Server) ([]string, error) {
	s.linkMu.Lock()
	ours, jobs := s.ours, s.jobs
	s.linkMu.Unlock()
	if jobs == (client.Keys{}) {
		var err error
		if jobs, err = fetchJobKeys(ctx, server, s.run()); err != nil && !errors.Is(err, client.ErrUnsupported) {
			return nil, err
		}
	}
	var secrets []string
	for _, k := range []string{ours.Public, ours.Private, jobs.Public, jobs.Private} {
		if k != "" {
			secrets = append(secrets, k)
		}
	}
	return append(secrets, s.secretVariables()...), nil
}
