package main

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner/gpu"
)

// usageFormats are the ways to print who used the box.
var usageFormats = []string{"table", "csv", "json"}

func newUsageCommand(c *cli) *cobra.Command {
	var since, format string
	var by []string
	cmd := &cobra.Command{
		Use:   "usage",
		Short: "show who used this box, and for how long",
		Long: `Add up how long the runs of all users worked on this box and for how long they
held its GPUs, most GPU time first. A run counts when it is over. One with two GPUs
for an hour has used two hours of GPU time.

Each user's part lies beside the leases, written by that user alone, and a copy
is in their state folder. Beside the leases in /run a restart of the box removes
it until that user launches something or looks at the usage again; where
CYTORUN_LEASES names a folder on a disk for all users it stays.`,
		Example: `  cytorun usage
  cytorun usage --since 30d --by user,gpu
  cytorun usage --by algorithm --format csv >usage.csv`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.json {
				format = "json"
			}
			if !slices.Contains(usageFormats, format) {
				return usageError(fmt.Errorf("no format %q; use one of %s", text.Line(format), strings.Join(usageFormats, ", ")))
			}
			age, err := parseAge(since)
			if err != nil {
				return usageError(fmt.Errorf("--since: %w", err))
			}
			for _, word := range by {
				if !slices.Contains(gpu.UsageWords, word) {
					return usageError(fmt.Errorf("--by: usage cannot be told by %q; say user, gpu or algorithm", text.Line(word)))
				}
			}
			env, err := c.environment()
			if err != nil {
				return err
			}
			from := env.Now().Add(-age)
			u, err := env.Usage(cmd.Context(), from, by)
			if err != nil {
				c.warn(err.Error())
			}
			switch format {
			case "json":
				return c.printUsageJSON(u, by, from)
			case "csv":
				return c.printUsageCSV(u, by)
			}
			return c.printUsage(u, by, since)
		},
	}
	cmd.Flags().StringVar(&since, "since", "30d", "what ran in this `AGE`, such as 30d, 2w or 12h")
	cmd.Flags().StringSliceVar(&by, "by", []string{"user"}, "`WORDS` to tell apart: user, gpu, algorithm, joined by commas")
	cmd.Flags().StringVarP(&format, "format", "f", "table", strings.Join(usageFormats, ", "))
	completeFlag(cmd, "by", fixed("user", "gpu", "algorithm", "user,gpu", "user,algorithm", "user,gpu,algorithm"))
	completeFlag(cmd, "format", fixed(usageFormats...))
	return cmd
}

// printUsage prints a table for people.
func (c *cli) printUsage(u app.Usage, by []string, since string) error {
	if len(u.Rows) == 0 {
		c.say("nothing ran on this box in %s", since)
		return nil
	}
	head := []string{}
	for _, w := range by {
		head = append(head, strings.ToUpper(w))
	}
	var rows [][]string
	for _, r := range u.Rows {
		var row []string
		for i, w := range by {
			if w == "gpu" {
				row = append(row, u.GPU(r.Key[i]))
			} else {
				row = append(row, r.Key[i])
			}
		}
		rows = append(rows, append(row, text.Count(r.Runs), text.Duration(r.Time), text.Duration(r.GPUTime)))
	}
	return c.printTable(append(head, "RUNS", "TIME", "GPU TIME"), rows)
}

func (c *cli) printUsageCSV(u app.Usage, by []string) error {
	w := csv.NewWriter(c.out)
	_ = w.Write(append(slices.Clone(by), "runs", "seconds", "gpu_seconds"))
	for _, r := range u.Rows {
		var row []string
		for _, k := range r.Key {
			row = append(row, compare.SafeCell(k))
		}
		_ = w.Write(append(row, strconv.Itoa(r.Runs), seconds(r.Time), seconds(r.GPUTime)))
	}
	w.Flush()
	return w.Error()
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) }

type usageJSON struct {
	User       string  `json:"user,omitempty"`
	GPU        string  `json:"gpu,omitempty"`
	Algorithm  string  `json:"algorithm,omitempty"`
	Runs       int     `json:"runs"`
	Seconds    float64 `json:"seconds"`
	GPUSeconds float64 `json:"gpu_seconds"`
}

func (c *cli) printUsageJSON(u app.Usage, by []string, since time.Time) error {
	rows := []usageJSON{}
	for _, r := range u.Rows {
		j := usageJSON{Runs: r.Runs, Seconds: r.Time.Seconds(), GPUSeconds: r.GPUTime.Seconds()}
		for i, w := range by {
			*map[string]*string{"user": &j.User, "gpu": &j.GPU, "algorithm": &j.Algorithm}[w] = r.Key[i]
		}
		rows = append(rows, j)
	}
	return c.printJSON(field{"since", since.UTC().Truncate(time.Second)}, field{"by", list(by)}, field{"usage", rows})
}
