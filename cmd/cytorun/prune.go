package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

func newPruneCommand(c *cli) *cobra.Command {
	var o app.PruneOptions
	var older string
	var yes bool
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "delete old runs and the work folders of runs that are over",
		Long: `Show what can go, with its size, and delete it after a question: the work
folders of runs that succeeded or were cancelled, and such runs when they are
older than 30 days. What failed or was lost stays with its work folder, unless
--all is given. What lives, what the server has not been told of, and what you
starred or noted always stays.

Only what lies in the folders of runs and of work is deleted, see 'cytorun
path'. Results on the server stay.`,
		Example: `  cytorun prune --work-only
  cytorun prune --older-than 7d --keep 20 --all --yes`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.OlderThan = -1
			if cmd.Flags().Changed("older-than") {
				var err error
				if o.OlderThan, err = parseAge(older); err != nil {
					return usageError(err)
				}
			}
			if o.Keep < 0 {
				return usageError(fmt.Errorf("--keep must not be negative; got %d", o.Keep))
			}
			return c.prune(cmd, o, yes)
		},
	}
	f := cmd.Flags()
	f.StringVar(&older, "older-than", "", "only what ended this `AGE` ago, such as 7d, 2w or 12h (default: 30d for runs, any for work folders)")
	f.IntVar(&o.Keep, "keep", 0, "keep the newest `N` runs as they are")
	f.BoolVar(&o.WorkOnly, "work-only", false, "keep all runs, delete only work folders")
	f.BoolVar(&o.All, "all", false, "also what failed or was lost, and work folders whose runs are gone")
	f.BoolVarP(&yes, "yes", "y", false, "delete without asking")
	return cmd
}

// parseAge reads an age: a number with m, h, d or w.
func parseAge(s string) (time.Duration, error) {
	unit := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	s = strings.TrimSpace(s)
	if len(s) > 1 {
		n, err := strconv.ParseFloat(s[:len(s)-1], 64)
		u := unit[s[len(s)-1:]]
		if err == nil && u > 0 && n >= 0 && n*float64(u) < math.MaxInt64 {
			return time.Duration(n * float64(u)), nil
		}
	}
	return 0, fmt.Errorf("%q is no age; write 7d, 2w, 12h or 30m", s)
}

type prunedJSON struct {
	Kind  string     `json:"kind"` // run, work or leftover
	ID    string     `json:"id,omitempty"`
	Title string     `json:"title,omitempty"`
	State string     `json:"state,omitempty"`
	Ended *time.Time `json:"ended,omitempty"`
	Bytes int64      `json:"bytes"`
	Paths []string   `json:"paths"`
}

func toPrunedJSON(items []app.PruneItem) (all []prunedJSON, bytes int64) {
	all = []prunedJSON{}
	for _, item := range items {
		j := prunedJSON{Kind: item.Kind, Bytes: item.Bytes, Paths: item.Paths}
		if item.Kind != app.PruneLeftover {
			a := app.Analysis{Run: &item.Run}
			j.ID, j.Title, j.State, j.Ended = a.Key(), a.Title(), a.State().Word, &item.Run.Ended
		}
		all = append(all, j)
		bytes += item.Bytes
	}
	return all, bytes
}

func (c *cli) prune(cmd *cobra.Command, o app.PruneOptions, yes bool) error {
	env, err := c.environment()
	if err != nil {
		return err
	}
	items, err := env.PrunePlan(cmd.Context(), o)
	if err != nil {
		return err
	}
	planned, bytes := toPrunedJSON(items)
	if c.json && !yes {
		return c.printJSON(field{"would_delete", planned}, field{"bytes", bytes})
	}
	if len(items) == 0 {
		c.say("nothing to delete; see 'cytorun prune --help' for what stays")
		if !c.json {
			return nil
		}
	}
	if !c.json {
		if err := c.printPrune(items, env.Now()); err != nil {
			return err
		}
	}
	question := fmt.Sprintf("delete %s, %s?", countKinds(items), text.Bytes(bytes))
	switch {
	case yes:
	case !c.asks():
		return usageError(errors.New("nothing deleted; say --yes to delete these"))
	case !c.confirm(question):
		return &exitError{exitFailed, errors.New("nothing deleted")}
	}
	gone, failed := env.Prune(cmd.Context(), items)
	deleted, freed := toPrunedJSON(gone)
	if c.json {
		return errors.Join(c.printJSON(field{"deleted", deleted}, field{"bytes", freed}), failed)
	}
	c.say("deleted %s, %s free again", countKinds(gone), text.Bytes(freed))
	return failed
}

func (c *cli) printPrune(items []app.PruneItem, now time.Time) error {
	var cells [][]string
	for _, item := range items {
		id, title, state := item.Paths[0], "", ""
		if item.Kind != app.PruneLeftover {
			a := app.Analysis{Run: &item.Run}
			id, title, state = a.Key(), a.Title(), a.State().Word
		}
		what := map[string]string{app.PruneRun: "run", app.PruneWork: "work folder", app.PruneLeftover: "left over"}[item.Kind]
		cells = append(cells, []string{what, id, title, state, text.Ago(item.Since, now), text.Bytes(item.Bytes)})
	}
	return c.printTable([]string{"WHAT", "ID", "ANALYSIS", "STATE", "ENDED", "SIZE"}, cells)
}

// countKinds counts in words: "2 runs and 3 work folders".
func countKinds(items []app.PruneItem) string {
	n := map[string]int{}
	for _, item := range items {
		n[item.Kind]++
	}
	var parts []string
	for _, kind := range []struct{ kind, word string }{{app.PruneRun, "run"}, {app.PruneWork, "work folder"}, {app.PruneLeftover, "leftover"}} {
		if n[kind.kind] > 0 {
			parts = append(parts, text.Plural(n[kind.kind], kind.word))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, " and ")
}
