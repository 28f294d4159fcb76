package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
)

// runOptions are the flags of run and rerun.
type runOptions struct {
	set       []string
	from      string
	container string
	cache     []string
	runtime   string
	note      string
	dryRun    bool
	wait      bool
	timeout   time.Duration
	split     string
	stopAfter int
	yes       bool
	strict    bool
	existing  string
	valueOptions
	resourceOptions
	developOptions
	imageOptions
}

func (o *runOptions) addFlags(c *cli, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.set, "param", "p", nil, "set a parameter: `NAME=VALUE`; again for more")
	f.StringVar(&o.container, "container", "", "run this `CONTAINER` instead of the algorithm's: a reference, a .sif or .tar file, or a folder")
	f.StringArrayVar(&o.cache, "cache", nil, "keep this `FOLDER` of the container for later runs of the algorithm; again for more")
	f.StringVar(&o.runtime, "runtime", "apptainer", "apptainer, or process: no container, see --workdir")
	o.addResourceFlags(f)
	f.StringVar(&o.note, "note", "", "a note to find it again")
	f.BoolVar(&o.strict, "strict", false, "make a warning at the end, such as no results, a failure")
	f.BoolVar(&o.dryRun, "dry-run", false, "print what would run and what is in its way, and run nothing")
	o.addImageFlags(f)
	o.addValueFlags(c, cmd)
	o.addDevelopFlags(cmd)
	o.addWaitFlags(f)
	o.addSplitFlags(f)
	o.addManyFlags(f)
	completeFlag(cmd, "param", c.completeParameters)
	completeFlag(cmd, "runtime", fixed(string(runner.Apptainer), string(runner.Process)))
}

func newRunCommand(c *cli) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run ALGORITHM|FILE [-p NAME=VALUE]... [-- --FLAG VALUE...]",
		Short: "launch an algorithm on this box",
		Long: `Launch an algorithm on this box. Parameters that are not given have their
default. A value is taken from the last of these that has it: --from ANALYSIS,
--preset NAME, --params FILE, -p NAME=VALUE, flags of the algorithm's own command
line after --. ListDomain values are ids or names joined by commas, 'all', or a
named selection such as @cohort-a. Everything that is wrong with values is said
at once, and nothing is launched.

FILE is a descriptor: its command line and parameters are used with the algorithm
of that name on the server, which is registered first where it is missing and you
agree. With --bind, --env, --container or --workdir your own code runs: the
analysis is then marked, wherever its algorithm is named, with the git state of
the code.

With --split the options of a ListDomain parameter are spread over several runs,
with --sweep there is one run for each value of a parameter: 0.1,0.2,0.5 or
10..50step10, or for each combination of values. Such runs form a group: it is
listed, waited for, cancelled and launched again as one.`,
		Example: `  cytorun run Nuclei -p sigma=2 -p images=all --wait
  cytorun algorithms show Nuclei --template >nuclei.toml
  cytorun run Nuclei --params nuclei.toml -p images=@cohort-a
  cytorun run Nuclei -p images=all --split images:10
  cytorun run Nuclei -p images=all --sweep sigma=1..3step0.5 --sweep method=otsu,triangle
  cytorun run Nuclei@1.2 --from @last -p sigma=3
  cytorun run Nuclei -- --sigma 2
  cytorun run Nuclei -p images=all --bind ./src:/app --env LOG_LEVEL=debug
  cytorun run ./descriptor.json -p images=all --runtime process --workdir .`,
		Args:              atLeast(1, "algorithm"),
		ValidArgsFunction: c.completeAlgorithms,
		RunE: func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); len(args) > 1 && dash != 1 {
				return usageError(fmt.Errorf("run takes one algorithm; write values as -p NAME=VALUE, or flags of the algorithm after --"))
			}
			set, err := o.pairs()
			if err != nil {
				return err
			}
			s, err := c.connect(cmd.Context())
			if err != nil {
				return err
			}
			if s, err = described(s, o.descriptor); err != nil {
				return err
			}
			s, r, err := c.algorithmNamed(cmd.Context(), s, args[0], o.yes)
			if err != nil {
				return err
			}
			earlier, err := c.valuesOf(cmd.Context(), s, o.from)
			if err != nil {
				return err
			}
			o.words = args[1:]
			r.Values = earlier
			c.likeLast(s, &r, o)
			return c.launch(cmd.Context(), s, r, set, o)
		},
	}
	o.addFlags(c, cmd)
	cmd.Flags().StringVar(&o.from, "from", "", "start from the values of `ANALYSIS`")
	completeFlag(cmd, "from", c.completeAnalyses)
	return cmd
}

// valuesOf are the values of an earlier analysis, of any server; none where no
// analysis is named.
func (c *cli) valuesOf(ctx context.Context, s *app.Session, name string) ([]client.Value, error) {
	if name == "" {
		return nil, nil
	}
	if app.IsOfServer(name) {
		a, err := s.Find(ctx, name)
		if err != nil {
			return nil, err
		}
		return s.Values(ctx, a)
	}
	run, err := c.findRun(name)
	if err != nil {
		return nil, err
	}
	return s.Values(ctx, app.Analysis{Run: &run})
}

// pairs checks the flags that need no server, and reads the -p ones.
func (o *runOptions) pairs() ([]client.Value, error) {
	rt := runner.Runtime(o.runtime)
	switch {
	case rt != runner.Apptainer && rt != runner.Process:
		return nil, usageError(fmt.Errorf("no runtime %q; use %s or %s", o.runtime, runner.Apptainer, runner.Process))
	case o.timeout < 0:
		return nil, usageError(fmt.Errorf("--timeout must not be negative; got %s", o.timeout))
	case o.timeout > 0 && !o.wait:
		return nil, usageError(errors.New("--timeout needs --wait; a time limit of the run itself is --time-limit"))
	}
	if err := errors.Join(o.checkResources(), apptainer.CheckKept(o.cache)); err != nil {
		return nil, usageError(err)
	}
	if err := o.valueOptions.check(); err != nil {
		return nil, err
	}
	return o.assignments()
}

// assignments reads the -p flags.
func (o *runOptions) assignments() ([]client.Value, error) {
	var vs []client.Value
	for _, s := range o.set {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, usageError(fmt.Errorf("%q is no value for a parameter; write -p NAME=VALUE", s))
		}
		vs = append(vs, client.Value{Parameter: strings.TrimSpace(name), Text: value, Origin: client.FromUser})
	}
	return vs, nil
}

// launch chooses the values of a request, launches and, if asked, waits.
func (c *cli) launch(ctx context.Context, s *app.Session, r app.LaunchRequest, set []client.Value, o runOptions) error {
	if why := s.Missing(r.Algorithm); why != "" {
		return fmt.Errorf("algorithm %s cannot run on this box: %s", text.Line(r.Algorithm.Name), text.Line(why))
	}
	if err := o.perImage(r.Algorithm); err != nil {
		return err
	}
	set, err := o.images(ctx, s, r.Algorithm, set)
	if err != nil {
		return err
	}
	choose := func() (app.Chosen, error) { return s.Choose(ctx, r.Algorithm, o.choices(r.Values, set)) }
	if c.asksValues(o) {
		choose = func() (app.Chosen, error) { return c.askValues(ctx, s, r, set, o) }
		o.yes = true // the last question was whether to launch
	}
	chosen, err := choose()
	if err != nil {
		return err
	}
	r.Values = chosen.Values
	r.Runtime, r.Container, r.Note = runner.Runtime(o.runtime), o.container, o.note
	o.change(&r.Resources)
	c.warnLimits(s, r)
	r.Strict = o.strict
	for _, folder := range o.cache {
		if !slices.Contains(r.Cache, folder) {
			r.Cache = append(r.Cache, folder)
		}
	}
	if r.Develop, err = o.develop(r.Develop, r.Runtime); err != nil {
		return err
	}
	if err := c.confirmWhole(ctx, s, r.Algorithm, o); err != nil {
		return err
	}
	if len(chosen.Sweeps) > 0 {
		return c.launchSweep(ctx, s, r, chosen, o)
	}
	one, err := o.trials([]app.LaunchRequest{r})
	if err != nil {
		return err
	}
	r = one[0]
	if app.PerImage(r.Algorithm) && app.CountImages(r) < 2 {
		o.split = ""
	}
	if o.split != "" {
		return c.launchSplit(ctx, s, r, o)
	}
	if o.dryRun {
		return c.dryRun(ctx, s, r)
	}
	if err := c.check(ctx, s, r); err != nil { // before anybody is asked
		return err
	}
	r.Checked = true
	if one, err = c.settle(ctx, s, []app.LaunchRequest{r}, o); err != nil {
		return err
	}
	c.sayRoom(ctx, s, one[0])
	run, err := s.Launch(ctx, one[0])
	if err != nil {
		return err
	}
	return c.launched(ctx, s, run, o)
}

// check is Check of the session. A driver that does not answer makes it last.
func (c *cli) check(ctx context.Context, s *app.Session, requests ...app.LaunchRequest) error {
	defer c.sayIfSlow("asking nvidia-smi for the GPUs of this box")()
	return s.Check(ctx, requests...)
}

// sayIfSlow says what goes on when it takes more than two seconds, until stop.
func (c *cli) sayIfSlow(what string) (stop func()) {
	said := make(chan struct{})
	t := time.AfterFunc(2*time.Second, func() {
		defer close(said)
		c.say("%s", what)
	})
	return func() {
		if !t.Stop() {
			<-said
		}
	}
}

// roomWithin bounds how long a registry that does not answer holds up a launch.
const roomWithin = 3 * time.Second

// sayRoom says what a launch fetches first, and where there is too little room.
func (c *cli) sayRoom(ctx context.Context, s *app.Session, r app.LaunchRequest) {
	ctx, stop := context.WithTimeout(ctx, roomWithin)
	defer stop()
	for _, check := range s.Room(ctx, r) {
		switch {
		case check.Warn || !check.OK:
			c.warn(strings.TrimSuffix(check.Text+"; "+check.Next, "; "))
		case check.Tell:
			c.say("%s", text.Line(check.Text))
		}
	}
}

// launched says what was launched and, if asked, waits.
func (c *cli) launched(ctx context.Context, s *app.Session, run runner.Run, o runOptions) error {
	analysis := app.Analysis{Run: &run}
	c.sayModified(run)
	if !o.wait {
		if c.json {
			return c.printJSON(field{"analysis", toAnalysisJSON(analysis, s.Env.Now())})
		}
		fmt.Fprintln(c.out, run.ID)
		c.say("launched; 'cytorun logs -f %s' shows its log", run.ID)
		return nil
	}
	c.say("launched %s", run.ID)
	defer c.sayKept(s, run)
	return c.waitFor(ctx, s, analysis, o.timeout)
}

func (c *cli) dryRun(ctx context.Context, s *app.Session, r app.LaunchRequest) error {
	if err := c.check(ctx, s, r); err != nil {
		return err
	}
	p := s.Preview(r)
	container := r.Container
	if container == "" {
		container = app.ContainerReference(r.Algorithm)
	}
	if r.Runtime == runner.Process {
		container = "none"
	}
	requests, err := s.Requests(r)
	if err != nil {
		return err
	}
	checks := s.Preflight(ctx, r)
	if c.json {
		return c.printJSON(field{"container", container}, field{"argv", p.Argv}, field{"values", list(r.Values)},
			field{"unreached", list(p.Unreached)}, field{"notes", list(p.Notes)}, field{"requests", list(requests)},
			field{"checks", toChecksJSON(checks)})
	}
	fmt.Fprintf(c.out, "container  %s\nprogram    %s\n", text.Line(container), p.String())
	for _, q := range requests {
		fmt.Fprintf(c.out, "request    %s %s%s  (%s)\n", q.Method, text.Line(s.Profile.URL), text.Line(q.Path), text.Line(q.What))
		if q.Body != nil {
			body, err := json.Marshal(q.Body)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.out, "           %s\n", text.Line(string(body)))
		}
	}
	c.printCheckLines(checks)
	for _, u := range p.Unreached {
		c.warn(u + " never reaches the program: its key is not in the command line")
	}
	for _, n := range p.Notes {
		c.warn(n)
	}
	return nil
}

// waitFor waits for an analysis and turns its end into the exit code.
func (c *cli) waitFor(ctx context.Context, s *app.Session, a app.Analysis, timeout time.Duration) error {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	end, err := s.Wait(ctx, a, func(now app.Analysis) {
		c.say("%s", progressLine(now))
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded) && timeout > 0:
		c.warn(fmt.Sprintf("%s is still %s after %s; 'cytorun wait %s' waits on", a.Key(), end.State().Word, timeout, a.Key()))
		if c.json {
			if err := c.printJSON(field{"analysis", toAnalysisJSON(end, s.Env.Now())}); err != nil {
				return err
			}
		}
		return &exitError{code: runner.Running.ExitCode()}
	case err != nil:
		return err
	}
	if c.json {
		if err := c.printJSON(field{"analysis", toAnalysisJSON(end, s.Env.Now())}); err != nil {
			return err
		}
	}
	if code := waitCode(end); code != 0 {
		if first := end.FirstError(); first != "" {
			c.warn(text.Line(first))
		}
		c.warn("see 'cytorun logs " + end.Key() + "'")
		return &exitError{code: code}
	}
	return nil
}

func progressLine(a app.Analysis) string {
	s := a.State().Word
	if p := a.Progress(); p >= 0 && a.State().Live {
		s += fmt.Sprintf(" %d %%", p)
	}
	if r := a.Reason(); r != "" {
		s += ": " + r
	}
	return s
}

func isTerminal(f *os.File) bool { return term.IsTerminal(f.Fd()) }
