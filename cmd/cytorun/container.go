package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner/apptainer"
)

func newContainerCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "container",
		Short: "list, fetch and delete the containers of this box",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newContainerListCommand(c), newContainerPullCommand(c), newContainerLoginCommand(c), newContainerLogoutCommand(c), newContainerPruneCommand(c))
	return cmd
}

func newContainerListCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list containers, half fetched ones and downloaded models",
		Long: `List the containers of this box with their size and the runs that used them,
what is left of fetches that did not end, and the models that programs
downloaded, which later runs of the same algorithm find again. Containers of the
site ([containers] site in config.toml) are read-only.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			env, err := c.environment()
			if err != nil {
				return err
			}
			items, err := env.Containers()
			if err != nil {
				return err
			}
			if c.json {
				out, bytes := toStoredJSON(items)
				return c.printJSON(field{"containers", out}, field{"bytes", bytes})
			}
			if len(items) == 0 {
				c.say("no containers in %s; 'cytorun container pull ALGORITHM' fetches one", env.Paths.Containers)
			}
			return c.printStored(items, env.Now())
		},
	}
}

type storedJSON struct {
	Kind       string    `json:"kind"`
	References []string  `json:"references"`
	Server     string    `json:"server,omitempty"`
	Digest     string    `json:"digest,omitempty"`
	Path       string    `json:"path,omitempty"`
	Arch       string    `json:"arch,omitempty"`
	Bytes      int64     `json:"bytes"`
	Fetched    time.Time `json:"fetched,omitzero"`
	LastUsed   time.Time `json:"last_used,omitzero"`
	ReadOnly   bool      `json:"read_only"`
	Busy       bool      `json:"busy"`
	Needed     bool      `json:"needed"`
	Runs       []string  `json:"runs"`
	People     []string  `json:"people"`
}

func toStoredJSON(items []app.StoredItem) (all []storedJSON, bytes int64) {
	all = []storedJSON{}
	for _, i := range items {
		j := storedJSON{
			Kind: i.Kind, References: list(i.References), Server: i.Server, Digest: i.Digest, Path: i.Path, Arch: i.Arch, Bytes: i.Bytes,
			Fetched: i.Fetched.UTC(), LastUsed: i.LastUsed.UTC(), ReadOnly: i.ReadOnly, Busy: i.Busy, Needed: len(i.Needed) > 0,
			Runs: []string{}, People: list(i.People()),
		}
		for _, r := range i.Runs {
			j.Runs = append(j.Runs, r.ID)
		}
		all = append(all, j)
		if !i.ReadOnly {
			bytes += i.Bytes
		}
	}
	return all, bytes
}

func (c *cli) printStored(items []app.StoredItem, now time.Time) error {
	var cells [][]string
	for _, i := range items {
		digest := strings.TrimPrefix(i.Digest, "sha256:")
		cells = append(cells, []string{
			i.Kind, i.Name(), digest[:min(len(digest), 12)], text.PadLeft(text.Bytes(i.Bytes), 8), text.Ago(i.LastUsed, now), runsOf(i), stateOf(i),
		})
	}
	return c.printTable([]string{"WHAT", "NAME", "DIGEST", "    SIZE", "LAST USED", "BY", "STATE"}, cells)
}

// runsOf says in short which runs used a thing: the last one and how many, and
// whose.
func runsOf(i app.StoredItem) string {
	if len(i.Runs) == 0 {
		return ""
	}
	s := i.Runs[0].ID
	if n := len(i.Runs); n > 1 {
		s += fmt.Sprintf(" and %d more", n-1)
	}
	return s + " of " + strings.Join(i.People(), ", ")
}

func stateOf(i app.StoredItem) string {
	var words []string
	if i.ReadOnly {
		words = append(words, "read-only, of the site")
	}
	switch {
	case i.Busy:
		words = append(words, "being fetched")
	case i.Kind == app.ContainerLayers:
		words = append(words, "half fetched")
	}
	if n := len(i.Needed); n > 0 {
		words = append(words, "needed by "+text.Plural(n, "run"))
	}
	return strings.Join(words, ", ")
}

func newContainerPullCommand(c *cli) *cobra.Command {
	var into string
	cmd := &cobra.Command{
		Use:   "pull ALGORITHM|REFERENCE",
		Short: "fetch a container now rather than at its first run",
		Long: `Fetch the container of an algorithm, or one by its reference, and print where
it lies. A word with a slash or a colon is a reference: docker://NAME:TAG or
NAME:TAG, oras://NAME:TAG, docker-archive:FILE, or a .sif file. Without a tag
the version of the algorithm is taken, never 'latest'. What was cut off goes on
at whole layers.

With --into a folder is filled for all people of a box: it is made readable by
everybody, and [containers] site of each one's config.toml names it.`,
		Example: `  cytorun container pull Nuclei
  cytorun container pull ghcr.io/lab/nuclei:1.2
  cytorun container pull --into /opt/containers ghcr.io/lab/nuclei:1.2`,
		Args:              exactArgs("an algorithm or a reference"),
		ValidArgsFunction: c.completeAlgorithms,
		RunE: func(cmd *cobra.Command, args []string) error {
			reference, err := c.referenceOf(cmd, args[0])
			if err != nil {
				return err
			}
			env, err := c.environment()
			if err != nil {
				return err
			}
			show := c.progress()
			pull := env.Pull
			if into != "" {
				pull = func(ctx context.Context, reference string, progress func(string)) (apptainer.Container, error) {
					return env.PullFor(ctx, into, reference, progress)
				}
			}
			got, err := pull(cmd.Context(), reference, show.line)
			show.end()
			if err != nil {
				return err
			}
			size := int64(0)
			if st, err := os.Stat(got.Path); err == nil {
				size = st.Size()
			}
			if c.json {
				return c.printJSON(field{"reference", reference}, field{"digest", got.Digest}, field{"path", got.Path}, field{"bytes", size})
			}
			c.say("%s is here, %s, %s", reference, text.Bytes(size), got.Digest)
			_, err = fmt.Fprintln(c.out, text.Line(got.Path))
			return err
		},
	}
	cmd.Flags().StringVar(&into, "into", "", "fetch into this `FOLDER`, for everybody to read")
	return cmd
}

// referenceOf is the reference that a word means: itself, or that of an
// algorithm.
func (c *cli) referenceOf(cmd *cobra.Command, word string) (string, error) {
	if strings.ContainsAny(word, "/:") || strings.HasSuffix(word, ".sif") {
		return word, nil
	}
	s, err := c.connect(cmd.Context())
	if err != nil {
		return "", err
	}
	a, err := s.Algorithm(cmd.Context(), word)
	if err != nil {
		return "", err
	}
	reference := app.ContainerReference(a)
	if reference == "" {
		return "", fmt.Errorf("algorithm %s names no container on the server; name one as docker://IMAGE:TAG", text.Line(a.Name))
	}
	return reference, nil
}

func newContainerLoginCommand(c *cli) *cobra.Command {
	var user string
	var stdin bool
	cmd := &cobra.Command{
		Use:   "login REGISTRY",
		Short: "log in to a registry of containers",
		Long: `Ask for a user and a password or token, try them, and keep them where apptainer
has them too, readable by you only. A password is never taken from the command
line: it is asked for, or read from standard input with --password-stdin.`,
		Example: `  cytorun container login ghcr.io -u ann
  cytorun container login registry.lab.org -u ann --password-stdin <token`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				// Not said again: it may be the password.
				return usageError(errors.New("login takes a registry only; name the user with --user, the password is asked for or piped with --password-stdin"))
			}
			return exactArgs("a registry")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			in := c.lines()
			var err error
			if user == "" {
				if stdin {
					return usageError(errors.New("--password-stdin needs --user"))
				}
				if user, err = c.askLine(in, "user: ", false, "name the user with --user"); err != nil {
					return err
				}
			}
			if !stdin && !c.asks() {
				return usageError(errors.New("standard input is no terminal; pipe the password and say --password-stdin"))
			}
			password, err := c.askLine(in, "password or token: ", true, "pipe it with --password-stdin")
			if err != nil {
				return err
			}
			if err := apptainer.Login(cmd.Context(), args[0], user, password); err != nil {
				return err
			}
			if c.json {
				return c.printJSON(field{"registry", args[0]}, field{"user", user})
			}
			c.say("logged in to %s as %s", args[0], user)
			return nil
		},
	}
	cmd.Flags().StringVarP(&user, "user", "u", "", "the user's `NAME` (default: it is asked for)")
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password or token from standard input")
	return cmd
}

func newContainerLogoutCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "logout REGISTRY",
		Short: "forget the keys of a registry",
		Args:  exactArgs("a registry"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return apptainer.Logins(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			had, err := apptainer.Logout(args[0])
			if err != nil {
				return err
			}
			if !had {
				return &exitError{exitNotFound, fmt.Errorf("no keys of %s are kept here; those of docker are in its own file", text.Line(args[0]))}
			}
			c.say("the keys of %s are forgotten", args[0])
			return nil
		},
	}
}
