package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner/supervisor"
)

// cli is what every subcommand shares: where to print, and the flags that say
// which server and project are meant.
type cli struct {
	in       io.Reader
	out, err io.Writer
	sel      profile.Selection
	project  string
	json     bool
	debug    bool

	env *app.Env
}

func execute(args []string, in io.Reader, out, errw io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &cli{in: in, out: out, err: errw}
	root := newRootCommand(c)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return 130 // as a shell reports an interrupt
	}
	c.printError(err)
	return exitCode(err)
}

// printError prints what went wrong, safe for a terminal and at most a few
// lines: an error may quote what a server said.
func (c *cli) printError(err error) {
	msg := text.Block(err.Error())
	if msg == "" {
		return
	}
	fmt.Fprintln(c.err, "cytorun: "+msg)
}

// environment opens this box's side: paths and run folders. Whatever starts
// first after an accident puts the runs of this box in order.
func (c *cli) environment() (*app.Env, error) {
	if c.env != nil {
		return c.env, nil
	}
	env, err := app.NewEnv(version())
	if err != nil {
		return nil, err
	}
	if _, err := supervisor.Recover(env.Store, env.Executable); err != nil {
		fmt.Fprintln(c.err, "cytorun: cannot put the runs of this box in order: "+text.Line(err.Error()))
	}
	c.env = env
	return env, nil
}

// open chooses the server without asking it anything.
func (c *cli) open() (*app.Session, error) {
	env, err := c.environment()
	if err != nil {
		return nil, err
	}
	return env.Open(c.sel)
}

// connect opens the server and the project.
func (c *cli) connect(ctx context.Context) (*app.Session, error) {
	s, err := c.open()
	if err != nil {
		return nil, err
	}
	return s.Connect(ctx, c.project)
}

// local is a session for what run folders can answer alone. It connects where
// it can, and does without where the server does not answer.
func (c *cli) local(ctx context.Context) (*app.Session, error) {
	s, err := c.open()
	if err != nil {
		return nil, err
	}
	connected, err := s.Connect(ctx, c.project)
	if err == nil {
		return connected, nil
	}
	if client.Transient(err) {
		fmt.Fprintln(c.err, "cytorun: "+text.Line(err.Error()))
		return s, nil
	}
	return nil, err
}

func (c *cli) printJSON(v any) error {
	e := json.NewEncoder(c.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printLineJSON prints one object on one line.
func (c *cli) printLineJSON(v any) error {
	e := json.NewEncoder(c.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printTable prints rows under a heading, aligned, safe for a terminal.
func (c *cli) printTable(head []string, rows [][]string) error {
	widths := make([]int, len(head))
	all := append([][]string{head}, rows...)
	for _, row := range all {
		for i, cell := range row {
			row[i] = text.Line(cell)
			widths[i] = max(widths[i], text.Width(row[i]))
		}
	}
	var b strings.Builder
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			if i == len(row)-1 {
				line.WriteString(cell)
			} else {
				line.WriteString(text.Pad(cell, widths[i]) + "  ")
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(c.out, b.String())
	return err
}

// exactArgs is cobra's check with an error that says what is missing.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usageError(fmt.Errorf("%s needs %s; see 'cytorun %s --help'", cmd.Name(), strings.Join(names[len(args):], " and "), cmd.Name()))
		}
		if len(args) > len(names) {
			return usageError(fmt.Errorf("%s takes %d words, not %d; quote a name with spaces", cmd.Name(), len(names), len(args)))
		}
		return nil
	}
}

// atLeast is exactArgs for one or more of the same.
func atLeast(n int, name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return usageError(fmt.Errorf("%s needs at least %d %s; see 'cytorun %s --help'", cmd.Name(), n, name, cmd.Name()))
		}
		return nil
	}
}
