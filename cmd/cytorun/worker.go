package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/app/worker"
	"github.com/cytorun/cytorun/internal/text"
)

func newWorkerCommand(c *cli) *cobra.Command {
	var o worker.Options
	var hours string
	var example bool
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "run the jobs that wait on an EXACT server",
		Long: `Claim the jobs that wait on an EXACT server and run them on this box, one by
one or several at a time, as 'cytorun run' does: each is an analysis of yours,
with its log and its run folder.

Only what the allow-list names is claimed: algorithms by their package, each with
the digest of its container. An empty list allows nothing; --example-allow prints
one to begin with. A job has no parameters on the server, so that the defaults of
the algorithm's descriptor hold.

It shares a server with EXACT's own worker and with others of its kind: a claim
counts only after it was read back twice. The claim of another worker is never
taken, unless --reclaim says after how long without any sign it is dead.

SIGTERM or ctrl-c lets what runs finish and claims nothing more; a second one ends
the worker at once, and its analyses go on by themselves. A worker that starts
again counts them and does none twice. 'worker pause' and 'worker resume' keep it
from claiming for a while, --hours does every day.`,
		Example: `  cytorun worker --server lab --allow ~/.config/cytorun/allow --slots 2
  cytorun worker --server lab --allow allow --hours 18:00-08:00
  cytorun worker --server lab --allow allow --once`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if example {
				fmt.Fprint(c.out, worker.Example)
				return nil
			}
			var err error
			if o.Hours, err = worker.ParseHours(hours); err != nil {
				return usageError(err)
			}
			switch {
			case o.AllowFile == "":
				return usageError(errors.New("--allow names the file with what may run here; --example-allow prints one to begin with"))
			case o.Slots < 1 || o.Slots > 1000:
				return usageError(fmt.Errorf("--slots is how many jobs run at once, 1 or more; got %d", o.Slots))
			case o.Reclaim != 0 && o.Reclaim < worker.MinReclaim:
				return usageError(fmt.Errorf("--reclaim must be at least %s: other workers may be silent that long and live; got %s", worker.MinReclaim, o.Reclaim))
			}
			return c.work(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.AllowFile, "allow", "", "`FILE` with what may run here")
	flags.BoolVar(&example, "example-allow", false, "print such a file, which allows nothing")
	flags.IntVar(&o.Slots, "slots", 1, "how many jobs run at once")
	flags.BoolVar(&o.Once, "once", false, "end when nothing waits that may run here")
	flags.StringVar(&hours, "hours", "", "claim at these `HOURS` of this box's clock only, as 18:00-08:00")
	flags.DurationVar(&o.Reclaim, "reclaim", 0, "take the job of a worker that gave no sign for so long, while this one watched")
	cmd.AddCommand(newWorkerPauseCommand(c), newWorkerResumeCommand(c), newWorkerStatusCommand(c))
	return cmd
}

// work runs a worker until it is told to end.
func (c *cli) work(ctx context.Context, o worker.Options) error {
	folder, s, err := c.workerFolder()
	if err != nil {
		return err
	}
	box, err := worker.NewBox(s, folder)
	if err != nil {
		return usageError(err)
	}
	u, err := s.Server.CurrentUser(ctx)
	if err != nil && !client.Transient(err) {
		return err
	}
	if s.User = u; u.Username == "" {
		s.User.Username = s.Profile.User
	}
	o.Server, o.Host = s.Profile.URL, s.Env.Host
	o.Say = func(line string) { c.say("%s  %s", time.Now().Format(time.DateTime), line) }

	// The first signal drains and the second ends; the one of the whole program
	// would end every request with the first.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	drain := make(chan struct{})
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		<-signals
		c.say("finishing what runs; once more ends the worker at once")
		close(drain)
		<-signals
		cancel()
	}()
	err = worker.New(box.Server(), box, folder, o).Run(ctx, drain)
	if errors.Is(err, context.Canceled) {
		c.say("ended; analyses that run go on by themselves, and the next worker counts them")
		return nil
	}
	return err
}

// workerFolder is where the worker of the chosen server keeps what is its own.
func (c *cli) workerFolder() (worker.Folder, *app.Session, error) {
	s, err := c.open()
	if err != nil {
		return "", nil, err
	}
	return worker.FolderOf(s.Env.Paths.State, strings.TrimPrefix(strings.TrimPrefix(s.Profile.URL, "https://"), "http://")), s, nil
}

func newWorkerPauseCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "pause",
		Short: "let the worker of a server claim nothing until 'worker resume'",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			folder, s, err := c.workerFolder()
			if err != nil {
				return err
			}
			if err := folder.Pause(s.Env.User); err != nil {
				return err
			}
			c.say("paused: nothing more is claimed from %s; what runs goes on", s.Profile.URL)
			return nil
		},
	}
}

func newWorkerResumeCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "resume",
		Short: "end the pause of the worker of a server",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			folder, s, err := c.workerFolder()
			if err != nil {
				return err
			}
			if err := folder.Resume(); err != nil {
				return err
			}
			if !folder.Running() {
				c.say("the pause is over; no worker runs for %s now", s.Profile.URL)
			}
			return nil
		},
	}
}

func newWorkerStatusCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "say what your workers on this box do",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			env, err := c.environment()
			if err != nil {
				return err
			}
			all := workersOf(env)
			if c.json {
				return c.printJSON(field{"workers", all})
			}
			if len(all) == 0 {
				c.say("no worker ever ran here; see 'cytorun worker --help'")
			}
			for _, w := range all {
				c.printWorker(w)
			}
			return nil
		},
	}
}

// workerJSON is what a worker said last, and whether it runs.
type workerJSON struct {
	Running bool `json:"running"`
	Paused  bool `json:"paused"`
	worker.Status
}

// workersOf are the workers of this person on this box.
func workersOf(env *app.Env) []workerJSON {
	all := []workerJSON{}
	for _, folder := range worker.Workers(env.Paths.State) {
		if s, ok := folder.Status(); ok {
			all = append(all, workerJSON{folder.Running(), folder.Paused(), s})
		}
	}
	return all
}

func (c *cli) printWorker(w workerJSON) {
	line := "does not run"
	if w.Running {
		line = fmt.Sprintf("%s, %d of %s taken, %d waiting, %d done", w.Phase, len(w.Jobs), text.Plural(w.Slots, "slot"), w.Waiting, w.Done)
	}
	if w.Paused && w.Phase != worker.PhasePaused {
		line += ", paused"
	}
	fmt.Fprintf(c.out, "worker  %s: %s\n", text.Line(w.Server), line)
	if !w.Running {
		return
	}
	if w.Why != "" {
		fmt.Fprintf(c.out, "        %s\n", text.Line(w.Why))
	}
	for _, j := range w.Jobs {
		fmt.Fprintf(c.out, "        job %d, run %s: %s %s\n", j.Job, j.Run, text.Line(j.Algorithm), text.Line(j.Image))
	}
	for _, why := range slices.Sorted(maps.Keys(w.LeftAlone)) {
		fmt.Fprintf(c.out, "        %s left alone: %s\n", text.Plural(w.LeftAlone[why], "job"), text.Line(why))
	}
}
