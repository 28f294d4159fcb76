package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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

	env      *app.Env
	log      *slog.Logger // of --debug, else nil
	closeLog func() error
}

// interrupted is the exit code after ctrl-c, as a shell reports it.
const interrupted = 130

func execute(args []string, in io.Reader, out, errw io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &cli{in: in, out: out, err: errw}
	root := newRootCommand(c)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	code := c.finish(ctx, root.ExecuteContext(ctx))
	if c.log != nil {
		c.log.Info("end", "code", code)
		_ = c.closeLog() // the log is a help, not a result
	}
	return code
}

// finish prints what went wrong, if anything, and gives the exit code.
func (c *cli) finish(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	if c.log != nil {
		c.log.Error("failed", "error", err)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return interrupted
	}
	c.warn(err.Error())
	return exitCode(err)
}

// warn says something beside the data: one line, or a few, safe for a terminal
// whatever a server put into them.
func (c *cli) warn(message string) {
	if message = text.Block(message); message != "" {
		fmt.Fprintln(c.err, "cytorun: "+message)
	}
}

// say tells a person what happens, on one line beside the data.
func (c *cli) say(format string, args ...any) {
	fmt.Fprintln(c.err, text.Line(fmt.Sprintf(format, args...)))
}

// environment opens this box's side: paths and run folders. Whatever starts
// first after an accident puts the runs of this box in order.
func (c *cli) environment() (*app.Env, error) {
	if c.env != nil {
		return c.env, nil
	}
	env, err := c.surroundings()
	if err != nil {
		return nil, err
	}
	if _, err := supervisor.Recover(env.Store, env.Executable); err != nil {
		c.warn("cannot put the runs of this box in order: " + err.Error())
	}
	return env, nil
}

// surroundings is environment without looking after any run, for completions
// and for what does that itself.
func (c *cli) surroundings() (*app.Env, error) {
	if c.env != nil {
		return c.env, nil
	}
	env, err := app.NewEnv(version())
	if err != nil {
		return nil, err
	}
	if c.debug {
		if c.log, c.closeLog, err = env.OpenDebugLog(); err != nil {
			return nil, err
		}
		c.log.Info("start", "version", version())
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

// local connects where it can, and where the server does not answer goes on
// with what run folders can tell.
func (c *cli) local(ctx context.Context) (*app.Session, error) {
	s, err := c.open()
	if err != nil {
		return nil, err
	}
	return c.connectOr(ctx, s, c.project)
}

func (c *cli) connectOr(ctx context.Context, s *app.Session, project string) (*app.Session, error) {
	connected, err := s.Connect(ctx, project)
	if client.Transient(err) {
		c.warn(err.Error())
		return s, nil
	}
	return connected, err
}

// noArgs, oneArg and the others are cobra's checks with errors that say what to
// do instead.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		return unknownCommand(cmd, args[0])
	}
	return usageError(fmt.Errorf("%s takes no arguments, not %q; see '%s --help'", cmd.Name(), args[0], cmd.CommandPath()))
}

// unknownCommand names the commands that may have been meant.
func unknownCommand(cmd *cobra.Command, word string) error {
	var meant []string
	for _, s := range suggestions(cmd, word) {
		meant = append(meant, "'"+cmd.CommandPath()+" "+s+"'")
	}
	next := "see '" + cmd.CommandPath() + " --help'"
	if len(meant) > 0 {
		next = "did you mean " + strings.Join(meant, " or ") + "?"
	} else if cmd.Flags().Lookup("filter") != nil && strings.ContainsAny(word, ":=<>@ ") {
		next = "for a filter write --filter '" + word + "'; " + next
	}
	return usageError(fmt.Errorf("no command %q; %s", word, next))
}

func suggestions(cmd *cobra.Command, word string) []string {
	if cmd.SuggestionsMinimumDistance == 0 {
		cmd.SuggestionsMinimumDistance = 2
	}
	return cmd.SuggestionsFor(word)
}

// exactArgs wants one word for each name.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usageError(fmt.Errorf("%s needs %s; see '%s --help'", cmd.Name(), strings.Join(names[len(args):], " and "), cmd.CommandPath()))
		}
		return atMost(len(names))(cmd, args)
	}
}

// atMost wants n words or fewer.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return usageError(fmt.Errorf("%s takes %s, and %q is too much; quote a name with spaces", cmd.Name(), words(n), args[n]))
		}
		return nil
	}
}

func words(n int) string {
	if n == 1 {
		return "one word"
	}
	return fmt.Sprintf("%d words", n)
}

// atLeast wants n words or more, all of them names of what.
func atLeast(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return usageError(fmt.Errorf("%s needs %s; see '%s --help'", cmd.Name(), what, cmd.CommandPath()))
		}
		return nil
	}
}
