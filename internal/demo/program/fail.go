package program

import (
	"fmt"
	"os"
	"syscall"
)

// The ways of failing that train offers, so that people can see what a failed
// analysis looks like. All of them are real.
const (
	noFailure = "none"
	reported  = "reported error"
	exitCode  = "exit code 7"
	crash     = "crash"
	killed    = "killed"
)

var failures = []string{noFailure, reported, exitCode, crash, killed}

// fail fails in the given way. It returns only where that is none, or an error
// that the caller shall report.
func fail(j *job, how string, epoch int) error {
	if how == noFailure {
		return nil
	}
	j.log("WARNING: failing in epoch %d, as the parameters ask: %s", epoch, how)
	switch how {
	case reported:
		return fmt.Errorf("training stopped in epoch %d, as the parameters ask", epoch)
	case exitCode:
		os.Exit(7) // without a word to the server
	case crash:
		var weights []float64
		j.log("weight %g", weights[epoch]) // panics: there are none
	case killed:
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until the signal arrives
	}
	return nil
}
