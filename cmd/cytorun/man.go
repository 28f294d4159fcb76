package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newManCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "man FOLDER",
		Short:   "write the manual pages of all commands into a folder",
		Example: "  cytorun man ~/.local/share/man/man1 && man cytorun-run",
		Args:    exactArgs("a folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("cannot write manual pages: %w", err)
			}
			return writeManuals(cmd.Root(), args[0])
		},
	}
}

// writeManuals writes the page of a command and of those below it.
func writeManuals(cmd *cobra.Command, dir string) error {
	path := filepath.Join(dir, manualName(cmd)+".1")
	if err := os.WriteFile(path, []byte(manual(cmd)), 0o644); err != nil {
		return fmt.Errorf("cannot write manual pages: %w", err)
	}
	for _, sub := range cmd.Commands() {
		if !sub.IsAvailableCommand() || sub.Name() == "help" {
			continue
		}
		if err := writeManuals(sub, dir); err != nil {
			return err
		}
	}
	return nil
}

func manualName(cmd *cobra.Command) string {
	return strings.ReplaceAll(cmd.CommandPath(), " ", "-")
}

// manual is the page of one command, in the macros of man(7).
func manual(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"cytorun %s\"\n", strings.ToUpper(manualName(cmd)), roff(version()))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(manualName(cmd)), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n\\fB%s\\fR\n", roff(cmd.UseLine()))
	if cmd.Long != "" {
		b.WriteString(".SH DESCRIPTION\n" + paragraphs(cmd.Long))
	}
	manualFlags(&b, "OPTIONS", cmd.LocalFlags())
	manualFlags(&b, "OPTIONS OF ALL COMMANDS", cmd.InheritedFlags())
	if cmd.Example != "" {
		b.WriteString(".SH EXAMPLES\n.nf\n" + roff(cmd.Example) + "\n.fi\n")
	}
	var others []string
	if cmd.HasParent() {
		others = append(others, manualName(cmd.Parent()))
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			others = append(others, manualName(sub))
		}
	}
	if len(others) > 0 {
		for i := range others {
			others[i] = "\\fB" + roff(others[i]) + "\\fR(1)"
		}
		b.WriteString(".SH SEE ALSO\n" + strings.Join(others, ", ") + "\n")
	}
	return b.String()
}

func manualFlags(b *strings.Builder, heading string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	b.WriteString(".SH " + heading + "\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fmt.Fprintf(b, ".TP\n\\fB%s\\fR \\fI%s\\fR\n%s\n", roff(name), roff(value), roff(usage))
	})
}

// paragraphs are the parts of a text that empty lines separate.
func paragraphs(s string) string {
	var b strings.Builder
	for _, p := range strings.Split(s, "\n\n") {
		b.WriteString(".PP\n" + roff(p) + "\n")
	}
	return b.String()
}

// roff takes away the meaning that text could have for man: of backslashes, of
// lines that begin with a point or quote, and of hyphens that would break.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
