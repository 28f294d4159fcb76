package supervisor

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/logfile"
	"github.com/cytorun/cytorun/runner/notify"
)

// Facts about telling the person, in the events after the end.
const (
	factNotified  = "notified"      // by which ways, such as "mail, bell"
	factNotNotify = "notify_failed" // which ways failed, and why
)

// afterEnd does what the end of the run means for others: its group may stop, and
// the person is told. Nothing that goes wrong here changes the run.
func (s *supervisor) afterEnd(result runner.Result) {
	run := s.run()
	m := notify.Message{
		Run: run.ID, Title: title(run), State: string(result.State), Reason: result.Reason,
		Host: runner.Host(), Seconds: run.Duration(result.Ended).Seconds(), Ended: result.Ended, Warnings: result.Warnings,
	}
	if run.Group != "" {
		group, err := s.group(run.Group)
		if err != nil {
			s.log.Warn("cannot look at the group", "error", err)
			return
		}
		s.stopGroup(group, run, result)
		if !group.ClaimEnd(run.ID) {
			return
		}
		m = groupMessage(m, run, group)
	}
	s.notify(m)
}

// somebodyListens tells whether the end of the run means anything for others.
func (s *supervisor) somebodyListens() bool {
	if s.run().Group != "" {
		return true
	}
	paths, err := profile.DefaultPaths()
	if err != nil {
		return false
	}
	config, err := notify.Load(paths)
	return err != nil || !config.Empty()
}

func (s *supervisor) group(id string) (runner.Group, error) {
	store, err := runner.OpenStore(filepath.Dir(s.folder))
	if err != nil {
		return runner.Group{}, err
	}
	runs, err := store.List()
	return runner.GroupOf(runs, id), err
}

// stopGroup ends what still waits of a group in which too many failed in a row.
func (s *supervisor) stopGroup(group runner.Group, run runner.Run, result runner.Result) {
	if run.StopAfter <= 0 || result.State != runner.Failed && result.State != runner.Lost {
		return
	}
	if failures := group.FailuresInARow(); failures >= run.StopAfter {
		group.Stop(stopReason(failures, result.Reason))
	}
}

func stopReason(failures int, last string) string {
	words := "one failure"
	if failures > 1 {
		words = fmt.Sprintf("%d failures in a row", failures)
	}
	reason := "not started: its group stopped after " + words
	if last != "" {
		reason += ", the last: " + oneLine(last)
	}
	return reason
}

// groupStopped tells why a run whose turn has come does not start. The slot of
// a program that failed is free before its supervisor has judged it, so here an
// exit code counts too.
func (s *supervisor) groupStopped() string {
	run := s.run()
	if run.Group == "" || run.StopAfter <= 0 {
		return ""
	}
	group, err := s.group(run.Group)
	if err != nil {
		s.log.Warn("cannot look at the group", "error", err)
		return ""
	}
	var last runner.Run
	for i := range group.Runs {
		r := &group.Runs[i]
		if exit, ok := runner.ReadExit(r.Folder); ok && !r.State.Ended() && !r.Cancelling {
			r.State, r.Ended, r.Reason = runner.Succeeded, exit.Ended, ""
			if exit.Code != 0 {
				r.State, r.Reason = runner.Failed, fmt.Sprintf("exit %d", exit.Code)
			}
		}
		if r.State == runner.Failed && r.Ended.After(last.Ended) {
			last = *r
		}
	}
	if failures := group.FailuresInARow(); failures >= run.StopAfter {
		return stopReason(failures, last.Reason)
	}
	return ""
}

// title names a run for people, such as "Nuclei #12".
func title(run runner.Run) string {
	if run.JobNumber > 0 {
		return fmt.Sprintf("%s #%d", run.Algorithm.Name, run.JobNumber)
	}
	return run.Algorithm.Name + " " + run.ID[max(0, len(run.ID)-4):]
}

// groupMessage tells the end of a whole group instead of the run that was last.
func groupMessage(m notify.Message, run runner.Run, group runner.Group) notify.Message {
	m.Group, m.State, m.Warnings = group.ID, string(group.State()), nil
	m.Title = fmt.Sprintf("%s, %d analyses", run.Algorithm.Name, len(group.Runs))
	m.Reason = group.String()
	m.Counts = map[string]int{}
	for state, n := range group.Count() {
		m.Counts[string(state)] = n
	}
	m.Seconds = m.Ended.Sub(group.Runs[0].Created).Seconds()
	for _, r := range group.Runs {
		if r.State == runner.Failed && r.Reason != "" {
			m.Reason += " (" + r.Reason + ")"
			break
		}
	}
	return m
}

// notify tells the person and leaves in the events how that went.
func (s *supervisor) notify(m notify.Message) {
	paths, err := profile.DefaultPaths()
	if err != nil {
		return
	}
	config, err := notify.Load(paths)
	facts := map[string]string{}
	if err != nil {
		facts[factNotNotify] = oneLine(err.Error())
	}
	if !config.Empty() {
		m.Title, m.Reason = s.hide(m.Title), s.hide(m.Reason)
		for i := range m.Warnings {
			m.Warnings[i] = s.hide(m.Warnings[i])
		}
		told, failed := notify.Describe(config.Send(context.Background(), m))
		if told != "" {
			facts[factNotified] = told
		}
		if failed != "" {
			facts[factNotNotify] = oneLine(failed)
		}
	}
	if len(facts) == 0 {
		return
	}
	if err := s.journal.Append(runner.Event{Facts: facts}); err != nil {
		s.log.Warn("cannot note how the person was told", "error", err, "facts", facts)
	}
}

// uuid is what keys of Cytomine look like.
var uuid = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b`)
})

// hide takes the keys that this process knows, and what looks like a key, out
// of a line: the reason of another run of the group may hold that run's keys.
func (s *supervisor) hide(line string) string {
	s.linkMu.Lock()
	keys := []client.Keys{s.ours, s.jobs}
	s.linkMu.Unlock()
	secrets := s.secretVariables()
	for _, k := range keys {
		for _, secret := range []string{k.Public, k.Private} {
			if secret != "" {
				secrets = append(secrets, secret)
			}
		}
	}
	var b strings.Builder
	w := logfile.Redact(&b, secrets)
	_, _ = io.WriteString(w, line)
	_ = w.Close()
	return uuid().ReplaceAllString(logfile.RedactKeys(b.String()), "••••")
}
