package main

import (
	"context"
	"errors"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/app"
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

// exitCode is the code for an error.
func exitCode(err error) int {
	var (
		exit      *exitError
		problems  forms.Problems
		ambiguous *app.ErrAmbiguous
		choose    *app.ErrChooseProject
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &problems), errors.As(err, &ambiguous), errors.As(err, &choose), errors.Is(err, profile.ErrNoServer):
		return exitUsage
	case errors.Is(err, client.ErrNotFound):
		return exitNotFound
	case errors.Is(err, client.ErrUnauthorised), errors.Is(err, client.ErrForbidden), errors.Is(err, profile.ErrNoKeys):
		return exitUnauthorised
	case errors.Is(err, client.ErrUnreachable), errors.Is(err, context.DeadlineExceeded):
		return exitUnreachable
	}
	return exitFailed
}
