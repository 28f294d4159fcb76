package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/text"
)

func newDescriptorCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "descriptor",
		Short: "work with descriptor files",
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "check FILE...",
		Short: "say what is wrong with descriptor files (cytomine-0.1)",
		Long: `Read descriptor files and print what is wrong with them, one line each:
FILE:LINE:COLUMN: error|warning: what. Exits 1 when there was an error.`,
		Args: atLeast(1, "file"),
		RunE: func(_ *cobra.Command, args []string) error { return c.checkDescriptors(args) },
	})
	return cmd
}

func (c *cli) checkDescriptors(files []string) error {
	errs := 0
	var found []map[string]any
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		_, findings := descriptor.Parse(file, data)
		for _, f := range findings {
			if f.Severity == descriptor.Error {
				errs++
			}
			if c.json {
				found = append(found, map[string]any{"file": f.File, "line": f.Line, "column": f.Col, "severity": f.Severity.String(), "message": f.Message})
				continue
			}
			fmt.Fprintln(c.out, text.Line(f.String()))
		}
		if len(findings) == 0 && !c.json {
			fmt.Fprintf(c.out, "%s: ok\n", text.Line(file))
		}
	}
	if c.json {
		if err := c.printJSON(map[string]any{"schema": 1, "errors": errs, "findings": found}); err != nil {
			return err
		}
	}
	if errs > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}
