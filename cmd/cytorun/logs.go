package main

import (
	"bytes"
	"context"
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
			s, err := c.local(cmd.Context())
			if err != nil {
				return err
			}
			a, err := s.Find(cmd.Context(), args[0])
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
	f0, ok := c.out.(*os.File)
	out := &logWriter{w: c.out, terminal: ok && isTerminal(f0)}
	defer out.flush()
	var f *os.File
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		// The state first: what was written before an end that we saw is read.
		live := follow && a.State().Live
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
			return nil
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

// logWriter prints a log line by line without the keys in it. Into a terminal
// only colours pass, elsewhere the bytes as they are.
type logWriter struct {
	w        io.Writer
	terminal bool
	part     []byte // of a line whose end has not come yet
}

// maxPart bounds a line that does not end.
const maxPart = 1 << 20

// Write prints the lines, and the states of a progress bar, that are complete.
func (l *logWriter) Write(p []byte) (int, error) {
	l.part = append(l.part, p...)
	for {
		i := bytes.IndexAny(l.part, "\n\r")
		if i < 0 && len(l.part) > maxPart {
			i = maxPart - 1
		}
		if i < 0 {
			return len(p), nil
		}
		if err := l.print(l.part[:i+1]); err != nil {
			return 0, err
		}
		l.part = l.part[i+1:]
	}
}

func (l *logWriter) flush() error {
	defer func() { l.part = nil }()
	return l.print(l.part)
}

func (l *logWriter) print(b []byte) error {
	line := app.RedactLine(string(b))
	if l.terminal {
		end := ""
		if n := len(line); n > 0 && (line[n-1] == '\n' || line[n-1] == '\r') {
			line, end = line[:n-1], line[n-1:]
		}
		line = text.SGR(line) + end
	}
	_, err := io.WriteString(l.w, line)
	return err
}
