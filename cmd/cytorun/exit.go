package main

import (
	"context"
	"errors"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/tui"
)

// Exit codes of every command. `wait` and `run --wait` add those of
// runner.State.ExitCode.
const (
	exitOK           = 0
	exitFailed       = 1
	exitUsage        = 2
	exitNotFound     = 3
	exitUnauthorised = 4
	exitUnreachable  = 5
	exitFault        = 70
)

// exitError ends the program with a code of its own; with no message nothing is
// printed, because the command has said it all.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usageError(err error) error { return &exitError{exitUsage, err} }

// exitCode is the code for an error. Errors wrap others, so the order counts:
// what a person did wrong comes before what a server said about it.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitOK
	case is[*exitError](err):
		return as[*exitError](err).code
	case is[forms.Problems](err), is[*app.ErrAmbiguous](err), is[*runner.AmbiguousError](err), is[*profile.UsageError](err), is[*app.FilterError](err),
		errors.Is(err, profile.ErrNoServer), errors.Is(err, tui.ErrNoTerminal):
		return exitUsage
	case is[*app.ErrChooseProject](err):
		if len(as[*app.ErrChooseProject](err).Projects) == 0 {
			return exitNotFound
		}
		return exitUsage
	case is[*apptainer.ReferenceError](err), is[*apptainer.TagError](err) && as[*apptainer.TagError](err).Tag == "":
		return exitUsage
	case errors.Is(err, apptainer.ErrLogin):
		return exitUnauthorised
	case is[*apptainer.TagError](err), errors.Is(err, apptainer.ErrNoImage), errors.Is(err, apptainer.ErrNoFile):
		return exitNotFound
	case errors.Is(err, apptainer.ErrRegistry):
		return exitUnreachable
	case is[*client.MovedError](err), is[*profile.CertificateError](err):
		return exitUnreachable
	case errors.Is(err, client.ErrUnauthorised), errors.Is(err, client.ErrForbidden),
		errors.Is(err, profile.ErrNoKeys), errors.Is(err, profile.ErrExposed):
		return exitUnauthorised
	case errors.Is(err, client.ErrUnsupported):
		return exitFailed // the 404 in it tells what a server lacks, not what a person named
	case errors.Is(err, client.ErrNotFound):
		return exitNotFound
	case errors.Is(err, client.ErrUnreachable), errors.Is(err, context.DeadlineExceeded):
		return exitUnreachable
	}
	return exitFailed
}

func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

func as[T error](err error) T {
	var target T
	errors.As(err, &target)
	return target
}
