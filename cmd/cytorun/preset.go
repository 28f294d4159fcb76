package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

func newPresetCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "preset",
		Aliases: []string{"presets"},
		Short:   "keep values of an algorithm under a name",
		Long: `A preset is a set of values of an algorithm under a name, kept as a parameter
file: 'preset show' prints its path. Copy that file to a colleague, who puts it
into the same folder or gives it to 'run --params'.`,
		Example: `  cytorun preset save Nuclei fast -p sigma=2 -p method=otsu
  cytorun preset save Nuclei good --from Nuclei#12
  cytorun run Nuclei --preset fast -p images=all`,
	}
	cmd.AddCommand(c.presetList(), c.presetShow(), c.presetSave(), c.presetDelete())
	return cmd
}

func (c *cli) presetList() *cobra.Command {
	return &cobra.Command{
		Use:               "list [ALGORITHM]",
		Short:             "list presets",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: c.completePresetArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			env, err := c.surroundings()
			if err != nil {
				return err
			}
			algorithm := ""
			if len(args) == 1 {
				algorithm = args[0]
			}
			presets, err := env.Presets(algorithm)
			if err != nil {
				return err
			}
			if c.json {
				out := []presetJSON{}
				for _, p := range presets {
					out = append(out, toPresetJSON(p))
				}
				return c.printJSON(field{"presets", out})
			}
			var cells [][]string
			for _, p := range presets {
				cells = append(cells, []string{p.Name, p.Algorithm, text.Ago(p.Saved, env.Now())})
			}
			return c.printTable([]string{"PRESET", "ALGORITHM", "SAVED"}, cells)
		},
	}
}

type presetJSON struct {
	Name      string         `json:"name"`
	Algorithm string         `json:"algorithm"`
	Path      string         `json:"path"`
	Values    []client.Value `json:"values,omitempty"`
}

func toPresetJSON(p app.Preset) presetJSON {
	return presetJSON{Name: p.Name, Algorithm: p.Algorithm, Path: p.Path, Values: p.Values}
}

func (c *cli) presetShow() *cobra.Command {
	return &cobra.Command{
		Use:               "show ALGORITHM NAME",
		Short:             "print a preset and where its file lies",
		Args:              exactArgs("an algorithm", "a preset"),
		ValidArgsFunction: c.completePresetArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			env, err := c.surroundings()
			if err != nil {
				return err
			}
			p, err := env.Preset(args[0], args[1])
			if p.Path == "" {
				return err
			}
			if c.json {
				if err != nil {
					return err
				}
				return c.printJSON(field{"preset", toPresetJSON(p)})
			}
			data, readErr := os.ReadFile(p.Path)
			if readErr != nil {
				return readErr
			}
			fmt.Fprintln(c.out, text.Block(string(data)))
			c.say("%s", p.Path)
			return err
		},
	}
}

func (c *cli) presetSave() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:               "save ALGORITHM NAME [-p NAME=VALUE]...",
		Short:             "keep values under a name",
		Args:              exactArgs("an algorithm", "a name"),
		ValidArgsFunction: c.completePresetArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := o.assignments()
			if err != nil {
				return err
			}
			s, err := c.connect(cmd.Context())
			if err != nil {
				return err
			}
			if s, err = described(s, o.descriptor); err != nil {
				return err
			}
			a, err := s.Algorithm(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			earlier, err := c.valuesOf(cmd.Context(), s, o.from)
			if err != nil {
				return err
			}
			values, err := s.ChooseSome(cmd.Context(), a, o.choices(earlier, set))
			if err != nil {
				return err
			}
			p, err := s.Env.SavePreset(a, args[1], values)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(field{"preset", toPresetJSON(p)})
			}
			fmt.Fprintln(c.out, p.Path)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.set, "param", "p", nil, "a value: `NAME=VALUE`; again for more")
	f.StringVar(&o.file, "params", "", "values from a parameter `FILE`, TOML or JSON; - is standard input")
	f.StringVar(&o.preset, "preset", "", "start from the preset `NAME`")
	f.StringVar(&o.from, "from", "", "start from the values of `ANALYSIS`")
	addDescriptorFlag(cmd, &o.descriptor)
	completeFlag(cmd, "param", c.completeParameters)
	completeFlag(cmd, "preset", c.completePresets)
	completeFlag(cmd, "from", c.completeAnalyses)
	return cmd
}

func (c *cli) presetDelete() *cobra.Command {
	return &cobra.Command{
		Use:               "delete ALGORITHM NAME",
		Short:             "remove a preset",
		Args:              exactArgs("an algorithm", "a preset"),
		ValidArgsFunction: c.completePresetArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			env, err := c.surroundings()
			if err != nil {
				return err
			}
			return env.DeletePreset(args[0], args[1])
		},
	}
}

// completePresets completes the name of a preset of the algorithm that is the
// first word. Files know them.
func (c *cli) completePresets(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	env, err := c.surroundings()
	if err != nil || len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	algorithm := args[0]
	if s, err := env.Open(c.sel); err == nil {
		if a, _, ok := s.CachedAlgorithm(algorithm); ok {
			algorithm = a.Name
		}
	}
	presets, err := env.Presets(algorithm)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, p := range presets {
		out = append(out, p.Name+"\tsaved "+text.Ago(p.Saved, env.Now()))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (c *cli) completePresetArgs(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return c.completeAlgorithms(cmd, args, prefix)
	case 1:
		return c.completePresets(cmd, args, prefix)
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}
