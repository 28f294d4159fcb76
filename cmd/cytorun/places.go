package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

// setPlaces puts folders elsewhere that were named on the command line.
func (c *cli) setPlaces(env *app.Env, set []string) error {
	folders, before := map[string]string{}, folderOf(env)
	for _, s := range set {
		name, folder, ok := strings.Cut(s, "=")
		if !ok {
			return usageError(fmt.Errorf("%q sets no folder; write --set NAME=FOLDER", s))
		}
		folders[strings.TrimSpace(name)] = strings.TrimSpace(folder)
	}
	if err := env.SetPlaces(folders); err != nil {
		return err
	}
	after := folderOf(env)
	for _, name := range []string{"data", "state", "cache", "runs", "containers", "weights", "work", "tmp"} {
		if before[name] == after[name] {
			continue
		}
		c.say("%s: now in %s", name, after[name])
	}
	c.say("what lies in the old folders stays there")
	return nil
}

// folderOf names the folders as [paths] does.
func folderOf(env *app.Env) map[string]string {
	p := env.Paths
	m := map[string]string{"data": p.Data, "state": p.State, "cache": p.Cache, "runs": p.Runs, "containers": p.Containers, "weights": p.Weights, "work": p.Work, "tmp": p.Tmp}
	if p.Work == "" {
		m["work"] = "each run's folder"
	}
	if p.Tmp == "" {
		m["tmp"] = p.Containers
	}
	return m
}

// askPlaces asks where things shall lie that grow, with the room of each place.
// An empty answer leaves a place where it is.
func (c *cli) askPlaces(ctx context.Context, env *app.Env) error {
	in := c.lines()
	fmt.Fprintln(c.err, "Where shall cytorun keep what grows? Return leaves a place where it is;\n'cytorun path --set' changes it later.")
	for i := range env.Places(ctx) {
		p := env.Places(ctx)[i] // one answer may move the next place
		where := p.Path
		if p.Beside != "" {
			where = "beside " + p.Beside
		}
		fmt.Fprintf(c.err, "\n%s: %s\n  now %s, where %s\n", p.Name, p.What, text.Line(where), p.Room())
		for _, r := range p.Roomier(ctx) {
			fmt.Fprintf(c.err, "  more room: %s, where %s\n", text.Line(r.Path), r.Room())
		}
		if err := c.askPlace(in, env, p); err != nil {
			return err
		}
	}
	fmt.Fprintln(c.err)
	return env.PlacesChosen()
}

// askPlace asks for one until the answer can be used.
func (c *cli) askPlace(in *bufio.Reader, env *app.Env, p app.Place) error {
	for {
		fmt.Fprintf(c.err, "  folder for %s: ", p.Name)
		line, err := in.ReadString('\n')
		folder := strings.TrimSpace(line)
		switch {
		case err != nil && folder == "" && errors.Is(err, io.EOF):
			return nil
		case err != nil && folder == "":
			return err
		case folder == "":
			return nil
		}
		failed := env.SetPlaces(map[string]string{p.Name: folder})
		if failed == nil {
			return nil
		}
		c.warn(failed.Error())
		if err != nil {
			return failed
		}
	}
}
