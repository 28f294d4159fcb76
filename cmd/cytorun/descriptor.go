package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/text"
)

func newDescriptorCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "descriptor",
		Short: "work with descriptor files",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDescriptorNewCommand(c), &cobra.Command{
		Use:   "check FILE...",
		Short: "say what is wrong with descriptor files (cytomine-0.1)",
		Long: `Read descriptor files and print what is wrong with them, one line each:
FILE:LINE:COLUMN: error|warning: what. Exits 1 when there was an error.`,
		Args: atLeast(1, "a file"),
		RunE: func(_ *cobra.Command, args []string) error { return c.checkDescriptors(args) },
	})
	return cmd
}

type findingJSON struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
}

func (c *cli) checkDescriptors(files []string) error {
	errs := 0
	var found []findingJSON
	for _, file := range files {
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return client.NotFound("no file %s", text.Line(file))
		}
		if err != nil {
			return fmt.Errorf("cannot read a descriptor: %w", err)
		}
		_, findings := descriptor.Parse(file, data)
		for _, f := range findings {
			if f.Severity == descriptor.Error {
				errs++
			}
			if c.json {
				found = append(found, findingJSON{f.File, f.Line, f.Col, f.Severity.String(), f.Message})
				continue
			}
			fmt.Fprintln(c.out, text.Line(f.String()))
		}
		if len(findings) == 0 && !c.json {
			fmt.Fprintf(c.out, "%s: ok\n", text.Line(file))
		}
	}
	if c.json {
		if err := c.printJSON(field{"errors", errs}, field{"findings", list(found)}); err != nil {
			return err
		}
	}
	if errs > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}
