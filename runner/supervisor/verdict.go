package supervisor

import (
	"fmt"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/runner/report"
)

// evidence is all that the verdict looks at.
type evidence struct {
	run    runner.Run
	exit   runner.Exit
	cancel *runner.CancelRequest // nil: nobody asked
	// stopped and timeUp tell that this supervisor asked the program to end,
	// for a person or for its time limit. Times tell it too, but for a clock
	// that was set back.
	stopped, timeUp bool
	// job is the server's record after the end; nil where it could not be read.
	job *client.Job
	// tail is the end of the log, firstError its most telling line, lastLine
	// its last.
	tail, firstError, lastLine string
	// left is what the program left on the server.
	left left
	used runner.GPUUse // of the GPUs
	// memoryLimit is what the container could have at most, in bytes; 0 without
	// a limit that holds.
	memoryLimit int64
}

// judge says how a run ended. Its order is the order of trust: what a person
// asked for, what the kernel saw, what the program said.
func judge(e evidence) runner.Result {
	r := runner.Result{
		Schema: runner.Schema, Ended: e.exit.Ended, Exit: &e.exit, FirstError: e.firstError,
		Annotations: e.left.annotations, Provisional: e.job == nil,
	}
	ran := e.exit.Ended.Sub(e.exit.Started)
	limit := e.run.Resources.TimeLimit
	switch {
	case e.cancel != nil && (e.stopped || !e.exit.Ended.Before(e.cancel.Time)):
		r.State = runner.Cancelled
		r.Reason = fmt.Sprintf("cancelled by %s after %s", e.cancel.By, text.Duration(ran))
		if e.cancel.Reason != "" {
			r.Reason = e.cancel.Reason
		}
	case limit > 0 && (e.timeUp || ran >= limit) && e.exit.Code != 0:
		r.State, r.Reason = runner.Failed, fmt.Sprintf("stopped at its time limit of %s", text.Duration(limit))
		r.Advice = "give it more time with --time-limit"
	case e.exit.Code != 0:
		r.State, r.Reason = runner.Failed, e.failure()
	case e.exit.OOMKills.Group > 0 && e.exit.OOMKills.Own:
		r.State = runner.Failed
		r.Reason = "the kernel killed a part of it for want of memory, although it ended with exit 0"
	case e.job != nil && e.job.Status == client.Failed:
		r.State, r.Reason = runner.Failed, e.ownFailure()
	case e.run.Develop.ByHand():
		r.State, r.Reason = runner.Succeeded, "by hand in a shell"
	default:
		r.State, r.Warnings = runner.Succeeded, e.warnings()
		if e.run.Strict && len(r.Warnings) > 0 {
			r.State, r.Reason = runner.Failed, "strict: "+strings.Join(r.Warnings, "; ")
		}
	}
	if r.State == runner.Failed && r.Advice == "" {
		r.Advice = advise(e.tail + "\n" + r.Reason)
	}
	return r
}

// failure says in one line why a program that did not end with exit 0 failed.
func (e evidence) failure() string {
	if e.run.Runtime == runner.Apptainer {
		if reason, own := apptainer.Explain(e.exit.Code, e.tail); own {
			return oneLine(reason)
		}
	}
	how := fmt.Sprintf("exit %d", e.exit.Code)
	signal := e.exit.Signal
	if signal == "" && e.exit.Code > 128 && e.exit.Code <= 128+64 {
		signal = signalName(e.exit.Code - 128)
	}
	switch {
	case signal == "killed" && e.memoryLimit > 0 && (e.exit.OOMKills.Group > 0 || e.exit.OOMKills.Box > 0):
		return "killed at its memory limit of " + text.Memory(e.memoryLimit)
	case signal == "killed" && e.exit.OOMKills.Group > 0 && e.exit.OOMKills.Own:
		return "killed by the kernel for want of memory"
	case signal == "killed" && (e.exit.OOMKills.Group > 0 || e.exit.OOMKills.Box > 0):
		return "killed, most likely by the kernel for want of memory"
	case signal != "":
		how = "ended by a signal: " + signal
		if e.exit.Signal == "" {
			how += fmt.Sprintf(" (exit %d)", e.exit.Code)
		}
	}
	said := e.firstError
	if said == "" && signal == "" {
		said = e.lastLine // whoever ends with a code mostly says why
	}
	if said == "" {
		return how
	}
	return how + ": " + oneLine(said)
}

// ownFailure is the failure of a program that ended well but told the server
// that it failed.
func (e evidence) ownFailure() string {
	said := report.Said(e.run.ID, *e.job)
	if said == "" {
		said = e.firstError
	}
	if said == "" {
		return "the program reported failure"
	}
	return "the program reported failure: " + oneLine(said)
}

// warnings are what a person would want to look at after a success.
func (e evidence) warnings() []string {
	w := e.left.warnings(e.run)
	if idle := e.used.Warning(); idle != "" {
		w = append(w, idle)
	}
	if k := e.exit.OOMKills; k.Group > 0 || k.Group < 0 && k.Box > 0 {
		w = append(w, "the kernel killed a process for want of memory while it ran, perhaps one of this run: look at its results")
	}
	return w
}
