package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

func newLogsCommand(c *cli) *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:               "logs ANALYSIS",
		Aliases:           []string{"log"},
		Short:             "print the log of an analysis",
		Args:              exactArgs("an analysis"),
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, a, err := c.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.printLog(cmd.Context(), s, a, follow)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "print what comes until the analysis has ended")
	return cmd
}

// printLog copies the log; following it ends with the analysis.
func (c *cli) printLog(ctx context.Context, s *app.Session, a app.Analysis, follow bool) error {
	l, err := s.OpenLog(ctx, a)
	if err != nil {
		return err
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
		live := follow && l.Live && a.State().Live
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
