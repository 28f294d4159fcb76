package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
)

func newProjectsCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "projects",
		Short: "list the projects that you may see",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.open()
			if err != nil {
				return err
			}
			projects, err := s.Projects(cmd.Context())
			if err != nil {
				return err
			}
			type row struct {
				ID          int64  `json:"id"`
				Name        string `json:"name"`
				Images      int    `json:"images"`
				Annotations *int   `json:"annotations,omitempty"`
				ReadOnly    bool   `json:"read_only"`
				Closed      bool   `json:"closed"`
			}
			rows, cells := []row{}, [][]string{}
			for _, p := range projects {
				annotations, shown := p.Annotations+p.JobAnnotations, "-"
				r := row{ID: int64(p.ID), Name: p.Name, Images: p.Images, ReadOnly: p.ReadOnly, Closed: p.Closed}
				if s.Profile.Kind != client.Exact { // which does not count them
					r.Annotations, shown = &annotations, strconv.Itoa(annotations)
				}
				rows = append(rows, r)
				note := ""
				if p.ReadOnly {
					note = "read-only"
				}
				if p.Closed {
					note = "closed"
				}
				cells = append(cells, []string{strconv.FormatInt(int64(p.ID), 10), p.Name, strconv.Itoa(p.Images), shown, note})
			}
			if c.json {
				return c.printJSON(field{"projects", rows})
			}
			if len(projects) == 0 {
				c.say("no projects that you may see; ask the server's administrator for access to one")
			}
			return c.printTable([]string{"ID", "NAME", "IMAGES", "ANNOTATIONS", ""}, cells)
		},
	}
}
