package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/tui"
)

func TestEveryErrorHasItsExitCode(t *testing.T) {
	wrapped := func(err error) error { return fmt.Errorf("doing something: %w", err) }
	for name, tt := range map[string]struct {
		err  error
		want int
	}{
		"nothing wrong":               {nil, 0},
		"anything else":               {errors.New("disk full"), 1},
		"a code of its own":           {&exitError{code: 13}, 13},
		"a flag that is not there":    {usageError(errors.New("no")), 2},
		"invalid values":              {forms.Problems{{Parameter: "x"}}, 2},
		"an ambiguous name":           {&app.ErrAmbiguous{}, 2},
		"an ambiguous run":            {&runner.AmbiguousError{}, 2},
		"no server chosen":            {profile.ErrNoServer, 2},
		"an address that is none":     {&profile.UsageError{}, 2},
		"a project to choose":         {&app.ErrChooseProject{Projects: make([]client.Project, 2)}, 2},
		"no terminal":                 {tui.ErrNoTerminal, 2},
		"no project at all":           {&app.ErrChooseProject{}, 3},
		"not there":                   {client.ErrNotFound, 3},
		"the server's 404":            {&client.HTTPError{Status: 404, Kind: client.ErrNotFound}, 3},
		"wrong keys":                  {client.ErrUnauthorised, 4},
		"no right":                    {client.ErrForbidden, 4},
		"no keys":                     {profile.ErrNoKeys, 4},
		"keys that others can read":   {profile.ErrExposed, 4},
		"no answer":                   {client.ErrUnreachable, 5},
		"no reference":                {&apptainer.ReferenceError{}, 2},
		"no tag":                      {&apptainer.TagError{}, 2},
		"a tag that is not there":     {&apptainer.TagError{Tag: "9"}, 3},
		"no such image":               {apptainer.ErrNoImage, 3},
		"no such file":                {apptainer.ErrNoFile, 3},
		"a registry's login":          {apptainer.ErrLogin, 4},
		"a registry that is away":     {apptainer.ErrRegistry, 5},
		"no answer in time":           {context.DeadlineExceeded, 5},
		"the site moved":              {&client.MovedError{}, 5},
		"a certificate not trusted":   {&profile.CertificateError{Err: errors.New("unknown")}, 5},
		"no API of ours behind a 404": {fmt.Errorf("%w: %w", client.ErrUnsupported, client.ErrNotFound), 1},
		"several, one of them usage":  {errors.Join(errors.New("x"), usageError(errors.New("y"))), 2},
	} {
		t.Run(name, func(t *testing.T) {
			if got := exitCode(tt.err); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
			if tt.err != nil && exitCode(wrapped(tt.err)) != tt.want {
				t.Errorf("wrapped it is %d", exitCode(wrapped(tt.err)))
			}
		})
	}
}
