package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

func newResultsDeleteCommand(c *cli) *cobra.Command {
	var filter string
	var yes, resume bool
	cmd := &cobra.Command{
		Use:   "delete ANALYSIS...",
		Short: "delete what analyses wrote to the server, but for those with a star",
		Long: `delete takes the annotations and files of analyses away from the server, such as
those of all but the best of a sweep. What has a star or the tag keep stays, and so
do annotations that people have reviewed, and the analyses themselves with their
parameters and logs (servers of the old ULiege branch delete the job as well).

A manager of the project deletes all at once; others one by one, with the keys of
each job. What was cut off goes on with --resume.`,
		Example:           "  cytorun analyses mark Nuclei#12 --star\n  cytorun results delete g-20261120-1432",
		ValidArgsFunction: c.completeAnalyses,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			var s *app.Session
			var plan app.Cleanup
			var err error
			if resume {
				if s, err = c.connect(ctx); err == nil {
					plan, err = s.UnfinishedCleanup(ctx)
				}
			} else {
				var analyses []app.Analysis
				if s, analyses, err = c.findMany(ctx, args, filter); err == nil {
					plan, err = s.PlanCleanup(ctx, analyses)
				}
			}
			if err != nil {
				return err
			}
			if len(plan.Gone) == 0 || plan.Annotations+plan.Files == 0 {
				c.say("nothing to delete%s", left(plan))
				if c.json {
					return c.printJSON(field{"deleted", cleanedJSON{}})
				}
				return nil
			}
			question := fmt.Sprintf("delete %s and %s of %d analyses from the server%s?",
				text.Plural(plan.Annotations, "annotation"), text.Plural(plan.Files, "file"), len(plan.Gone), left(plan))
			if !yes {
				if !c.asks() {
					return usageError(errors.New(question + " say --yes"))
				}
				if !c.confirm(question) {
					return nil
				}
			}
			var last time.Time
			done, err := s.Clean(ctx, plan, func(now app.Cleaned) {
				if time.Since(last) > time.Second {
					last = time.Now()
					c.say("%s", now)
				}
			})
			if c.json && err == nil {
				return c.printJSON(field{"deleted", cleanedJSON{done.Analyses, done.Annotations, done.Files, done.Reviewed}})
			}
			c.say("%s", done)
			return err
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&yes, "yes", "y", false, "delete without asking")
	f.BoolVar(&resume, "resume", false, "go on with a clean-up that was cut off")
	c.addFilterFlag(cmd, &filter)
	return cmd
}

type cleanedJSON struct {
	Analyses    int `json:"analyses"`
	Annotations int `json:"annotations"`
	Files       int `json:"files"`
	Reviewed    int `json:"reviewed"` // annotations that stay
}

// left says what a clean-up leaves alone.
func left(p app.Cleanup) string {
	s := ""
	if p.Kept > 0 {
		s += fmt.Sprintf(", %d with a star or the tag keep", p.Kept)
	}
	if p.Live > 0 {
		s += fmt.Sprintf(", %d that have not ended", p.Live)
	}
	if p.Nowhere > 0 {
		s += fmt.Sprintf(", %d without a job on this server", p.Nowhere)
	}
	if s == "" {
		return ""
	}
	return " (left alone: " + s[2:] + ")"
}
