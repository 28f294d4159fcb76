package supervisor

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/logfile"
)

// ended gives how a running program ended, once; ok is false where nobody can
// tell any more.
type ended <-chan struct {
	exit runner.Exit
	ok   bool
}

// keeperEnd waits, asleep, until keep lets go of `alive`.
func (s *supervisor) keeperEnd() ended {
	end := make(chan struct {
		exit runner.Exit
		ok   bool
	}, 1)
	go func() {
		if err := runner.WaitFree(s.path(runner.AliveFile)); err != nil {
			s.log.Error("cannot wait for the program", "error", err)
		}
		exit, ok := runner.ReadExit(s.folder)
		end <- struct {
			exit runner.Exit
			ok   bool
		}{exit, ok}
	}()
	return end
}

// How often the log is looked at: while it grows, and while it is silent.
const (
	sampleFast = 100 * time.Millisecond
	sampleSlow = time.Second
)

// watch follows a running program to its end.
func (s *supervisor) watch(started runner.Started, end ended) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	used := s.watchGPUs(ctx)
	sampler := s.newSampler()
	defer sampler.close()
	observed := s.observe(ctx, started, sampler.last)
	machine := s.noteMachine()
	defer func() { <-machine }()

	var limit <-chan time.Time
	if d := s.run().Resources.TimeLimit; d > 0 {
		t := time.NewTimer(time.Until(started.Time.Add(d)))
		defer t.Stop()
		limit = t.C
	}
	cancel := s.ctx.Done()
	sample := time.NewTimer(sampleFast)
	defer sample.Stop()
	var noted time.Time
	percent := s.run().Progress
	for {
		select {
		case e := <-end:
			sampler.sample()
			if e.ok {
				stop()
				if used != nil {
					use := <-used
					s.used = &use
				}
				return s.finish(started, e.exit)
			}
			return s.adopt(started)
		case <-cancel:
			cancel = nil
			go s.stop(ctx, started, &s.stopped)
		case <-limit:
			go s.stop(ctx, started, &s.timeUp)
		case p := <-observed:
			percent = max(percent, p)
		case <-sample.C:
			grown := sampler.sample()
			if p := sampler.last(); p >= 0 {
				percent = p
			}
			if grown {
				sample.Reset(sampleFast)
			} else {
				sample.Reset(sampleSlow)
			}
		}
		if now := time.Now(); percent != s.run().Progress && now.Sub(noted) >= 2*time.Second {
			noted = now
			s.noteProgress(percent)
		}
	}
}

func (s *supervisor) noteProgress(percent int) {
	err := s.journal.Append(runner.Event{Facts: map[string]string{runner.FactProgress: strconv.Itoa(percent)}})
	if err != nil {
		s.log.Warn("cannot note the progress", "error", err)
	}
}

// sampler looks at the growing log: when it had which length, and what it says
// of its progress. It reads only the end, so that a flood costs nothing.
type sampler struct {
	log, times *os.File
	size       int64
	meter      logfile.Meter
	percent    atomic.Int32 // the last one, -1 for none
}

func (s *supervisor) newSampler() *sampler {
	m := &sampler{}
	m.percent.Store(-1)
	var err error
	if m.log, err = os.Open(s.path(runner.LogFile)); err != nil {
		s.log.Warn("cannot follow the log", "error", err)
		return m
	}
	if m.times, err = os.OpenFile(s.path(runner.TimesFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		s.log.Warn("cannot keep the times of the log", "error", err)
	}
	return m
}

// sample tells whether the log has grown.
func (m *sampler) sample() bool {
	if m.log == nil {
		return false
	}
	st, err := m.log.Stat()
	if err != nil || st.Size() <= m.size {
		return false
	}
	const end = 4 << 10
	from := max(m.size, st.Size()-end)
	if from > m.size {
		m.meter.Skipped()
	}
	m.size = st.Size()
	if m.times != nil {
		// Losing one record to a full disk is no harm.
		_, _ = m.times.Write(logfile.TimeRecord(m.size, time.Now()))
	}
	_, _ = io.Copy(&m.meter, io.NewSectionReader(m.log, from, m.size-from))
	if p, ok := m.meter.Progress(); ok {
		m.percent.Store(int32(p))
	}
	return true
}

// last is the progress that the log told last. Any goroutine may ask.
func (m *sampler) last() int { return int(m.percent.Load()) }

func (m *sampler) close() {
	for _, f := range []*os.File{m.log, m.times} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// killAfter is how long a program may take to end after it was asked to:
// CYTORUN_KILL_AFTER, a Go duration, or 30 seconds.
func killAfter() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("CYTORUN_KILL_AFTER")); err == nil && d >= 0 {
		return d
	}
	return 30 * time.Second
}

// lost is a run whose end nobody saw.
func (s *supervisor) lost(why string) error {
	seen := s.run().Heartbeat
	if st, err := os.Stat(s.path(runner.LogFile)); err == nil && st.ModTime().After(seen) {
		seen = st.ModTime()
	}
	return s.end(runner.Result{
		State: runner.Lost, Ended: seen.UTC(),
		Reason: fmt.Sprintf("%s; last sign of life %s", why, seen.Local().Format("2006-01-02 15:04:05")),
	})
}
