package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

func newLogsCommand(c *cli) *cobra.Command {
	var o logOptions
	cmd := &cobra.Command{
		Use:               "logs ANALYSIS",
		Aliases:           []string{"log"},
		Short:             "print the log of an analysis",
		Example:           "  cytorun logs -f @last\n  cytorun logs @failed --grep '/error|warning/' -C 3 --timestamps\n  cytorun logs Nuclei#12 --since 10m\n  cytorun logs @last --plot loss",
		Args:              exactArgs("an analysis"),
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, a, err := c.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if o.plot != "" {
				return c.plotLog(cmd.Context(), s, a, o.plot)
			}
			return c.printLog(cmd.Context(), s, a, o)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.follow, "follow", "f", false, "print what comes until the analysis has ended")
	f.StringVar(&o.since, "since", "", "only what was written since a `TIME`: 10m, 2h, 2026-05-01T14:30")
	f.StringVar(&o.grep, "grep", "", "only lines with `TEXT`, or matching /EXPRESSION/; small letters match capitals too")
	f.IntVarP(&o.context, "context", "C", 0, "with --grep: so many lines around each")
	f.StringVar(&o.plot, "plot", "", "draw a `NUMBER` that it reports again and again, such as loss or progress")
	f.BoolVarP(&o.timestamps, "timestamps", "t", false, "when each line was written, where that is known")
	return cmd
}

// printLog copies the log; following it ends with the analysis.
func (c *cli) printLog(ctx context.Context, s *app.Session, a app.Analysis, o logOptions) error {
	l, err := s.OpenLog(ctx, a)
	if err != nil {
		return err
	}
	if _, err := os.Stat(l.Path); os.IsNotExist(err) && !o.follow {
		return fmt.Errorf("%s has no log yet: %w, its program has not started, it is %s; 'cytorun logs -f %s' waits for it", a.Title(), client.ErrNotFound, a.State().Word, a.Key())
	}
	if o.byLines() {
		return c.printLines(ctx, s, a, l, o)
	}
	buffer := bufio.NewWriterSize(c.out, 64<<10)
	out := app.NewRedactor(buffer)
	if t, ok := c.out.(*os.File); ok && isTerminal(t) {
		out.Each(text.SGR) // into a terminal only colours pass
	}
	var f *os.File
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		// The state first: what was written before an end that we saw is read.
		live := o.follow && l.Live && a.State().Live
		if f == nil {
			if f, err = os.Open(l.Path); err == nil {
				defer f.Close()
			} else if !os.IsNotExist(err) {
				return err
			}
		}
		if f != nil {
			if _, err := io.Copy(out, f); err != nil {
				return err
			}
		}
		if !live {
			return errors.Join(out.Close(), buffer.Flush())
		}
		if err := buffer.Flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if a, err = s.Refresh(ctx, a); err != nil {
			return err
		}
	}
}
