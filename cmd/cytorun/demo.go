package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/tui"
)

// demoTimeout bounds the loop without a terminal: a first pull on a slow disk
// and two analyses fit many times.
const demoTimeout = 15 * time.Minute

func newDemoCommand(c *cli) *cobra.Command {
	var runtime, file string
	var loop, noTUI bool
	var o runOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "try everything on a server of its own, with real images",
		Long: `Start the demo's own server with real images and algorithms, and open the
screens on it. Without a terminal, with --json or with --loop, run one algorithm
twice with different values, print the comparison, and exit 0 only if both
analyses succeeded and their annotations are on the server.

With --descriptor the algorithm of a file is registered on that server and its
form is opened, or, without a terminal or with --no-tui, it is run with its
defaults on all images. Its container is that of the file, the one of --container,
or with --runtime process your own source in --workdir.`,
		Example: `  cytorun demo
  cytorun demo --descriptor descriptor.json --container ./my.sif --bind ./src:/app
  cytorun demo --descriptor descriptor.json --runtime process --workdir . --no-tui`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := c.environment()
			if err != nil {
				return err
			}
			if file != "" {
				o.runtime = cmp.Or(runtime, string(runner.Apptainer))
				return c.demoDescriptor(cmd.Context(), env, file, !noTUI && !c.json && !loop, o)
			}
			rt, err := demoRuntime(runtime)
			if err != nil {
				return err
			}
			if !c.json && !loop && tui.Usable(os.Getenv("TERM"), os.Stdin, os.Stdout) == nil {
				return c.demoScreens(cmd.Context(), env, rt)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), demoTimeout)
			defer cancel()
			return c.demoLoop(ctx, env, rt)
		},
	}
	cmd.Flags().StringVar(&runtime, "runtime", "", "apptainer, or process: no container (default: apptainer)")
	cmd.Flags().BoolVar(&loop, "loop", false, "run the loop also in a terminal")
	cmd.Flags().StringVar(&file, "descriptor", "", "try the algorithm of this descriptor `FILE`")
	cmd.Flags().BoolVar(&noTUI, "no-tui", false, "with --descriptor: run it with its defaults, without screens")
	cmd.Flags().StringVar(&o.container, "container", "", "with --descriptor: run this `CONTAINER`, a reference, a .sif or .tar file, or a folder")
	cmd.Flags().StringArrayVarP(&o.set, "param", "p", nil, "with --descriptor: set a parameter, `NAME=VALUE`; again for more")
	o.addDevelopFlags(cmd)
	return cmd
}

func demoRuntime(name string) (runner.Runtime, error) {
	switch rt := runner.Runtime(name); rt {
	case runner.Process:
		return rt, nil
	case "", runner.Apptainer:
		if _, err := apptainer.Find(); err != nil {
			return "", fmt.Errorf("%w, or run the demo's programs without containers: cytorun demo --runtime process", err)
		}
		return runner.Apptainer, nil
	}
	return "", usageError(fmt.Errorf("no runtime %q; use %s or %s", name, runner.Apptainer, runner.Process))
}

func (c *cli) demoScreens(ctx context.Context, env *app.Env, rt runner.Runtime) error {
	s, err := env.Demo(ctx, func(line string) { c.say("%s", line) })
	if err != nil {
		return err
	}
	s.Runtime = rt
	message := "this is the demo: pick an algorithm, enter opens its form"
	if rt == runner.Process {
		message = "this is the demo without containers: programs run as plain processes"
	}
	return tui.Run(ctx, env, tui.Options{Session: s, Message: message})
}

type demoAnalysisJSON struct {
	ID          string  `json:"id"`
	Job         int64   `json:"job"`
	State       string  `json:"state"`
	Annotations int     `json:"annotations"`
	Seconds     float64 `json:"seconds"`
}

type demoDifference struct {
	Parameter string   `json:"parameter"`
	Values    []string `json:"values"`
}

func (c *cli) demoLoop(ctx context.Context, env *app.Env, rt runner.Runtime) error {
	began := env.Now()
	// With --json the data is the last line, and what happens is said beside it.
	say := func(line string) {
		fmt.Fprintf(c.err, "%5.1f s  %s\n", env.Now().Sub(began).Seconds(), text.Line(line))
	}
	if rt == runner.Process {
		say("no container: the demo's programs run as plain processes")
	}
	s, err := env.Demo(ctx, say)
	if err != nil {
		return err
	}
	say(fmt.Sprintf("the demo's server is %s, project %s", s.Profile.URL, s.Project.Name))
	report, err := s.DemoLoop(ctx, rt, say)
	if err != nil && len(report.Table.Columns) == 0 {
		return err
	}
	if c.json {
		return errors.Join(err, c.printDemoJSON(env, report))
	}
	diff := report.Table.Differences()
	fmt.Fprintf(c.out, "\n%d rows, these differ:\n\n", len(report.Table.Rows))
	if e := diff.Export(c.out, "table", 0); e != nil {
		return e
	}
	say("done; 'cytorun demo' in a terminal opens the screens, 'cytorun -S demo analyses' lists what ran")
	return err
}

// printDemoJSON prints the last line: one object on one line.
func (c *cli) printDemoJSON(env *app.Env, report app.DemoReport) error {
	analyses, differences := []demoAnalysisJSON{}, []demoDifference{}
	for i, a := range report.Analyses {
		j := demoAnalysisJSON{ID: a.Key(), Job: int64(a.JobID()), State: a.State().Word, Seconds: a.Duration(env.Now()).Seconds()}
		if a.Run != nil {
			j.State = string(a.Run.State)
		}
		if i < len(report.Counts) {
			j.Annotations = report.Counts[i]
		}
		analyses = append(analyses, j)
	}
	for _, r := range report.Table.DifferentParameters() {
		d := demoDifference{Parameter: r.Key}
		for _, cell := range r.Cells {
			d.Values = append(d.Values, cell.Text)
		}
		differences = append(differences, d)
	}
	return c.printLineJSON(field{"analyses", analyses}, field{"differences", differences})
}
