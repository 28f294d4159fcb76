package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/app/filter"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

func newAnalysesCommand(c *cli) *cobra.Command {
	var max int
	var algorithm, group, filter string
	var all bool
	cmd := &cobra.Command{
		Use:     "analyses",
		Aliases: []string{"analysis"},
		Short:   "list the analyses of the project, newest first",
		Long:    analysesHelp(),
		Example: "  cytorun analyses --filter 'state:failed by:me since:7d'\n  cytorun analyses --filter 'sigma>2 algorithm:nuclei -tag:bad \"out of memory\"'\n  cytorun analyses --filter @night",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if max <= 0 {
				return usageError(fmt.Errorf("--max must be at least 1; got %d", max))
			}
			if group != "" {
				return c.listGroup(group)
			}
			s, err := c.local(cmd.Context())
			if err != nil {
				return err
			}
			q := app.Selection{Max: max, AllProjects: all, Filter: filter, Seen: c.sayLookedAt()}
			if algorithm != "" {
				a, err := s.Algorithm(cmd.Context(), algorithm)
				if err != nil {
					return err
				}
				q.Algorithm = a.ID
			}
			return c.listAnalyses(cmd.Context(), s, q)
		},
	}
	cmd.Flags().IntVarP(&max, "max", "n", 50, "how many to list")
	cmd.Flags().StringVar(&filter, "filter", "", "only those that a `FILTER` means; see above")
	completeFlag(cmd, "filter", c.completeFilters)
	cmd.Flags().StringVarP(&algorithm, "algorithm", "a", "", "only those of one `ALGORITHM`")
	cmd.Flags().StringVarP(&group, "group", "g", "", "only those of one `GROUP`, of a run with --split")
	completeFlag(cmd, "group", c.completeGroups)
	cmd.Flags().BoolVar(&all, "all", false, "also the runs of this box in other projects and on other servers")
	completeFlag(cmd, "algorithm", func(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		return c.completeAlgorithms(cmd, nil, prefix)
	})
	cmd.AddCommand(newMarkCommand(c), newFiltersCommand(c))
	cmd.AddCommand(newShowCommand(c))
	return cmd
}

func newShowCommand(c *cli) *cobra.Command {
	checksums := false
	cmd := &cobra.Command{
		Use:               "show ANALYSIS",
		Short:             "show one analysis: its values, its verdict, its results",
		Args:              exactArgs("an analysis"),
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.showAnalysis(cmd.Context(), args[0], checksums)
		},
	}
	cmd.Flags().BoolVar(&checksums, "checksums", false, "with --json: fetch the result files whose checksums were not recorded")
	return cmd
}

// sayLookedAt tells a person now and then how far a long search is.
func (c *cli) sayLookedAt() func(looked, total int) {
	last := time.Now()
	return func(looked, total int) {
		if time.Since(last) > 2*time.Second {
			last = time.Now()
			c.say("looked at %s of %s jobs", text.Count(looked), text.Count(total))
		}
	}
}

type analysisJSON struct {
	ID        string     `json:"id"`
	Title     string     `json:"title"`
	Algorithm string     `json:"algorithm"`
	Job       int64      `json:"job,omitempty"`
	Number    int        `json:"number,omitempty"`
	State     string     `json:"state"`
	Reason    string     `json:"reason,omitempty"`
	Progress  *int       `json:"progress,omitempty"`
	Person    string     `json:"person,omitempty"`
	Launched  time.Time  `json:"launched"`
	Started   *time.Time `json:"started,omitempty"`
	Ended     *time.Time `json:"ended,omitempty"`
	Seconds   float64    `json:"seconds"`
	Where     string     `json:"where"`
	Folder    string     `json:"folder,omitempty"`
	// What the person noted; only lists have it.
	Star bool     `json:"star,omitempty"`
	Mark string   `json:"mark_note,omitempty"`
	Tags []string `json:"tags,omitempty"`
	// StuckSeconds is for how long a job elsewhere that has not ended shows no
	// change, once that is long.
	StuckSeconds float64 `json:"stuck_seconds,omitempty"`
	Group        string  `json:"group,omitempty"`
	Part         int     `json:"part,omitempty"` // of a split, from 1
	Of           int     `json:"of,omitempty"`   // parts of that split
	From         string  `json:"from,omitempty"` // the run that it repeats
	// Image is the one that it is over, where jobs have one each (EXACT).
	Image   string `json:"image,omitempty"`
	ImageID int64  `json:"image_id,omitempty"`
	// Differs are the values in which it differs from the others of its group; only
	// lists have it.
	Differs map[string]string `json:"differs,omitempty"`
	// Modified says what of it is not the algorithm's own.
	Modified string `json:"modified,omitempty"`
}

func toAnalysisJSON(a app.Analysis, now time.Time) analysisJSON {
	j := analysisJSON{ID: a.Key(), Title: a.Title(), Algorithm: a.Name(), Job: int64(a.JobID()), Number: a.Number(),
		State: a.State().Word, Reason: a.Reason(), Person: a.Person(), Launched: a.Created(),
		Seconds: a.Duration(now).Seconds(), Where: a.Where(), Modified: modifiedOf(a)}
	if p := a.Progress(); p >= 0 {
		j.Progress = &p
	}
	if a.Job != nil {
		j.ImageID = int64(a.Job.Image)
	}
	if a.Run != nil {
		j.Folder, j.Group, j.From = a.Run.Folder, a.Run.Group, a.Run.From
		j.Image, j.ImageID = a.Run.Image.Name, int64(a.Run.Image.ID)
		if p := a.Run.Part; p != nil {
			j.Part, j.Of = p.Index, p.Of
		}
		if !a.Run.Started.IsZero() {
			j.Started = &a.Run.Started
		}
		if !a.Run.Ended.IsZero() {
			j.Ended = &a.Run.Ended
		}
	}
	return j
}

// analysesHelp tells how a filter is written.
func analysesHelp() string {
	var b strings.Builder
	b.WriteString(`analyses lists what was launched in the project, here and elsewhere.

A filter is words and conditions, which must all hold; a minus turns one around,
quotes keep blanks. A name that is none of these columns is a parameter or a result:
sigma>2, method:otsu, "learning rate"<=0.1, nucleus>100, nucleus.area:1000..2000.

`)
	for _, col := range filter.Columns {
		fmt.Fprintf(&b, "  %-12s %s\n", col.Name, col.Help)
	}
	return strings.TrimRight(b.String(), "\n")
}

func (c *cli) listAnalyses(ctx context.Context, s *app.Session, q app.Selection) error {
	rows, err := s.Select(ctx, q)
	if err != nil {
		if len(rows) == 0 {
			return err
		}
		c.warn(err.Error())
	}
	now := s.Env.Now()
	analyses := make([]app.Analysis, len(rows))
	for i, r := range rows {
		analyses[i] = r.Analysis
	}
	if c.json {
		differing, err := s.Differing(analyses)
		if err != nil {
			return err
		}
		out := []analysisJSON{}
		for _, r := range rows {
			j := toAnalysisJSON(r.Analysis, now)
			j.Differs = differs(r.Analysis, differing)
			j.Star, j.Mark, j.Tags = r.Mark.Starred(), r.Mark.Note, r.Mark.Tags
			if d := r.Stuck(now); d > 0 {
				j.StuckSeconds = d.Seconds()
			}
			out = append(out, j)
		}
		return c.printJSON(field{"analyses", out})
	}
	switch {
	case len(rows) == 0 && q.Filter != "":
		c.say("no analysis matches %s", q.Filter)
	case len(rows) == 0:
		c.say("no analyses yet; 'cytorun run NAME' starts one")
	}
	return c.printAnalyses(s, analyses)
}

// differs are the values of a run that the others of its group do not have.
func differs(a app.Analysis, differing map[string][]client.Value) map[string]string {
	if a.Run == nil || len(differing[a.Run.ID]) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, v := range differing[a.Run.ID] {
		out[v.Parameter] = v.Text
	}
	return out
}

// printAnalyses prints a list for people.
func (c *cli) printAnalyses(s *app.Session, analyses []app.Analysis) error {
	differing, err := s.Differing(analyses)
	if err != nil {
		return err
	}
	now := s.Env.Now()
	var cells [][]string
	servers := map[string]bool{}
	for _, a := range analyses {
		if a.Run != nil {
			servers[a.Run.Server.URL] = true
		}
	}
	for _, a := range analyses {
		where := a.Where()
		if a.Run != nil && len(servers) > 1 {
			where = cmp.Or(a.Run.Server.Profile, a.Run.Server.URL) + ": " + where
		}
		progress := ""
		if p := a.Progress(); p >= 0 && a.State().Live {
			progress = strconv.Itoa(p) + " %"
		}
		duration := ""
		if d := a.Duration(now); d > 0 {
			duration = text.Duration(d)
		}
		cells = append(cells, []string{a.Key(), a.Title(), partOf(a, differing), a.State().Word, progress, duration, a.Person(),
			text.Ago(a.Created(), now), where, text.Truncate(a.Reason(), 60)})
	}
	return c.printTable([]string{"ID", "ANALYSIS", "PART", "STATE", "", "TOOK", "BY", "LAUNCHED", "WHERE", "WHY"}, cells)
}

func (c *cli) showAnalysis(ctx context.Context, name string, checksums bool) error {
	s, a, err := c.find(ctx, name)
	if err != nil {
		return err
	}
	if c.json {
		return c.printReceipt(ctx, s, a, checksums)
	}
	var values []client.Value
	if a.Run != nil {
		values = a.Run.Values // with where each came from
	} else if values, err = s.Values(ctx, a); err != nil {
		return err
	}
	results, resultsErr := s.Results(ctx, a)
	now := s.Env.Now()
	st := a.State()
	fmt.Fprintf(c.out, "%s  %s\n", text.Line(a.Title()), text.Line(st.Word))
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(c.out, "  %-11s %s\n", name, text.Line(value))
		}
	}
	line("id", a.Key())
	line("algorithm", a.NameAsRun())
	line("why", a.Reason())
	line("by", a.Person())
	line("launched", a.Created().Local().Format("2006-01-02 15:04:05"))
	if d := a.Duration(now); d > 0 {
		line("took", text.Duration(d))
	}
	line("where", a.Where())
	if a.JobID() != 0 {
		line("job", strconv.FormatInt(int64(a.JobID()), 10))
	}
	if a.Run != nil {
		if a.Run.Runtime != runner.Process {
			line("container", a.Run.Algorithm.Container)
		}
		line("digest", app.Digest(*a.Run))
		line("cache", strings.Join(a.Run.Cache, " "))
		m, ok := runner.ReadMachine(a.Run.Folder)
		for _, l := range app.DevelopLines(a.Run.Develop, m.Sources) {
			if l.Name != "modified" {
				line(l.Name, l.Text)
			}
		}
		if ok {
			line("ran on", ranOn(m))
			line("runtime", strings.TrimSpace(m.Runtime+" "+m.RuntimeVersion))
		}
		line("waits", app.Waits(ctx, *a.Run))
		line("asked", app.Asked(a.Run.Resources))
		line("used", app.Used(*a.Run))
		line("no limit", app.Unlimited(*a.Run))
		line("group", placeInGroup(*a.Run))
		line("repeats", a.Run.From)
		line("note", a.Run.Note)
		line("folder", a.Run.Folder)
		if a.Run.Result != nil {
			if !strings.Contains(a.Reason(), a.Run.Result.FirstError) {
				line("first error", a.Run.Result.FirstError)
			}
			for _, w := range a.Run.Result.Warnings {
				line("warning", w)
			}
		}
	}
	fmt.Fprintln(c.out)
	var cells [][]string
	for _, v := range values {
		cells = append(cells, []string{v.Parameter, text.Truncate(v.Text, 100), text.Truncate(strings.Join(v.Labels, ", "), 60), from(a, v)})
	}
	if err := c.printTable([]string{"PARAMETER", "VALUE", "NAMES", "FROM"}, cells); err != nil {
		return err
	}
	fmt.Fprintln(c.out)
	if resultsErr != nil {
		c.warn("cannot read the results: " + resultsErr.Error())
		return nil
	}
	return c.printResults(results)
}

// from says where the value of a run came from; of other jobs nobody knows.
func from(a app.Analysis, v client.Value) string {
	if a.Run == nil {
		return ""
	}
	return string(v.Origin)
}

// waitCode is the exit code for how an analysis ended.
func waitCode(a app.Analysis) int {
	if a.Run != nil {
		return a.Run.State.ExitCode()
	}
	switch a.Job.Status {
	case client.Success:
		return runner.Succeeded.ExitCode()
	case client.Failed, client.Indeterminate:
		return runner.Failed.ExitCode()
	case client.Killed:
		return runner.Cancelled.ExitCode()
	}
	return runner.Running.ExitCode()
}
