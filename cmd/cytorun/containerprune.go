package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

func newContainerPruneCommand(c *cli) *cobra.Command {
	var o app.ContainerPrune
	var older string
	var yes, dryRun bool
	cmd := &cobra.Command{
		Use:   "prune [REFERENCE|DIGEST]...",
		Short: "delete containers that no run needs",
		Long: `Show which containers can go, with their sizes, and delete them after a
question: those that were not used for 30 days, those that are named, and what is
left of fetches that did not end. What a waiting or working run needs stays, and
so do the containers of the site. A container that is needed again is fetched
again.

With --models the models that programs downloaded go instead, by algorithm.`,
		Example: `  cytorun container prune --dry-run
  cytorun container prune --older-than 7d --yes
  cytorun container prune ghcr.io/lab/nuclei:1.1
  cytorun container prune --models Nuclei`,
		ValidArgsFunction: c.completeContainers,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.OlderThan, o.Names = -1, args
			if cmd.Flags().Changed("older-than") {
				var err error
				if o.OlderThan, err = parseAge(older); err != nil {
					return usageError(err)
				}
			}
			return c.pruneContainers(o, yes, dryRun)
		},
	}
	f := cmd.Flags()
	f.StringVar(&older, "older-than", "", "only what was not used for this `AGE`, such as 7d, 2w or 12h (default 30d)")
	f.BoolVar(&o.Models, "models", false, "delete downloaded models instead of containers")
	f.BoolVar(&dryRun, "dry-run", false, "show what would go, and delete nothing")
	f.BoolVarP(&yes, "yes", "y", false, "delete without asking")
	return cmd
}

func (c *cli) pruneContainers(o app.ContainerPrune, yes, dryRun bool) error {
	env, err := c.environment()
	if err != nil {
		return err
	}
	plan, err := env.PlanContainers(o)
	if err != nil {
		return err
	}
	planned, bytes := toStoredJSON(plan)
	switch {
	case len(plan) == 0 && len(o.Names) > 0:
		return &exitError{exitNotFound, fmt.Errorf("nothing of that name can go: %s; see 'cytorun container list'", text.Line(strings.Join(o.Names, ", ")))}
	case c.json && (dryRun || !yes):
		return c.printJSON(field{"would_delete", planned}, field{"bytes", bytes})
	case len(plan) == 0:
		c.say("nothing to delete; see 'cytorun container prune --help' for what stays")
		if !c.json {
			return nil
		}
	}
	if !c.json {
		if err := c.printStored(plan, env.Now()); err != nil {
			return err
		}
	}
	what := countStored(plan)
	switch {
	case dryRun:
		c.say("%s would go, %s", what, text.Bytes(bytes))
		return nil
	case yes:
	case !c.asks():
		return usageError(errors.New("nothing deleted; say --yes to delete these"))
	case !c.confirm(fmt.Sprintf("delete %s, %s?", what, text.Bytes(bytes))):
		return &exitError{exitFailed, errors.New("nothing deleted")}
	}
	gone, failed := env.PruneContainers(plan)
	deleted, freed := toStoredJSON(gone)
	if c.json {
		return errors.Join(c.printJSON(field{"deleted", deleted}, field{"bytes", freed}), failed)
	}
	c.say("deleted %s, %s free again", countStored(gone), text.Bytes(freed))
	return failed
}

// countStored counts in words: "2 containers and 1 half fetched".
func countStored(items []app.StoredItem) string {
	n := map[string]int{}
	for _, i := range items {
		n[i.Kind]++
	}
	var parts []string
	if k := n[app.ContainerFile]; k > 0 {
		parts = append(parts, text.Plural(k, "container"))
	}
	if k := n[app.ContainerLayers]; k > 0 {
		parts = append(parts, fmt.Sprintf("%d half fetched", k))
	}
	if k := n[app.ContainerModels]; k > 0 {
		parts = append(parts, "the models of "+text.Plural(k, "algorithm"))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, " and ")
}

// completeContainers completes what prune can name.
func (c *cli) completeContainers(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	env, err := c.surroundings()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	items, err := env.Containers()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	models, _ := cmd.Flags().GetBool("models")
	var out []string
	for _, i := range items {
		if name := i.Name(); (i.Kind == app.ContainerModels) == models && !i.ReadOnly && strings.HasPrefix(name, prefix) && name == text.Line(name) {
			out = append(out, name+"\t"+text.Bytes(i.Bytes))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
