package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/demo"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/runner/command"
	"github.com/cytorun/cytorun/runner/source"
)

// checkEnvironment tells which variables cannot be taken from here. The run's
// supervisor inherits this environment and reads them there.
func checkEnvironment(d *runner.Develop) error {
	var missing []string
	for _, v := range d.Env {
		if _, ok := os.LookupEnv(v.Name); v.Value == nil && !ok {
			missing = append(missing, v.Name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("not set in this environment: %s; set it, or write NAME=VALUE", strings.Join(missing, ", "))
	}
	return nil
}

// checkDevelop tells why a launch with a person's own code cannot work.
func (s *Session) checkDevelop(r LaunchRequest) error {
	d := r.Develop
	if d == nil {
		d = &runner.Develop{}
	}
	if r.Runtime == runner.Process {
		switch {
		case d.Source == nil && !demo.Owns(r.Algorithm):
			return fmt.Errorf("runtime %s runs your own source: name its folder with --workdir; %s itself needs its container, --runtime %s",
				runner.Process, text.Line(r.Algorithm.Name), runner.Apptainer)
		case len(d.Binds) > 0:
			return errors.New("folders are bound into a container, and runtime process has none; your program sees them as they are")
		}
	} else if d.Source != nil {
		return errors.New("--workdir goes with --runtime process; into a container a folder comes with --bind")
	}
	if d.Source != nil {
		if st, err := os.Stat(d.Source.Path); err != nil || !st.IsDir() {
			return fmt.Errorf("--workdir %s is no folder on this box", text.Line(d.Source.Path))
		}
		if _, err := s.program(r); err != nil {
			return err
		}
	}
	inside := map[string]bool{}
	for _, b := range d.Binds {
		if err := apptainer.CheckBind(b.Path, b.Inside); err != nil {
			return fmt.Errorf("bind %s: %w", text.Line(b.String()), err)
		}
		if _, err := os.Stat(b.Path); err != nil {
			return fmt.Errorf("bind %s: there is no %s on this box", text.Line(b.String()), text.Line(b.Path))
		}
		if inside[b.Inside] {
			return fmt.Errorf("two binds want %s in the container", text.Line(b.Inside))
		}
		inside[b.Inside] = true
	}
	return checkEnvironment(d)
}

// withProgram is the request with the words of the person's own program in it.
func (s *Session) withProgram(r LaunchRequest) LaunchRequest {
	if r.Develop == nil || r.Develop.Source == nil {
		return r
	}
	if d, err := s.program(r); err == nil {
		r.Develop = &d
	}
	return r
}

// program finds the interpreter and the file that the process runtime starts: the
// words of the command line, or those that the person gave. What is absolute in a
// container is looked for in the person's folder.
func (s *Session) program(r LaunchRequest) (runner.Develop, error) {
	d := *r.Develop
	parameters := make([]descriptor.Parameter, len(r.Algorithm.Parameters))
	for i, p := range r.Algorithm.Parameters {
		parameters[i] = p.Parameter
	}
	own := command.Program(r.Algorithm.CommandLine, command.Inputs(parameters, nil, command.ServerValues{}))
	d.Words = len(own)
	words := slices.Clone(d.Program)
	if len(words) == 0 {
		words = own
	}
	if len(words) == 0 {
		return d, fmt.Errorf("the command line of %s names no program, its container does; name yours with --program 'python run.py'", text.Line(r.Algorithm.Name))
	}
	dir := d.Source.Path
	for i, w := range words {
		if i > 0 && filepath.IsAbs(w) {
			found, ok := below(dir, w)
			if !ok {
				return d, fmt.Errorf("%s of the container is not in %s; name your program with --program 'python run.py'", text.Line(w), text.Line(dir))
			}
			words[i] = found
		}
	}
	if i := slices.IndexFunc(words, func(w string) bool { return strings.HasSuffix(w, ".py") }); i > 0 && !filepath.IsAbs(words[i]) {
		if _, err := os.Stat(filepath.Join(dir, words[i])); err != nil {
			return d, fmt.Errorf("there is no %s in %s; name your program with --program 'python run.py'", text.Line(words[i]), text.Line(dir))
		}
	}
	interpreter, err := lookUp(dir, words[0])
	if err != nil {
		return d, err
	}
	words[0] = interpreter
	d.Program = words
	return d, nil
}

// lookUp finds a program in a folder, as a path, or in PATH.
func lookUp(dir, name string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) && !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	found, err := exec.LookPath(name)
	if err != nil && filepath.IsAbs(name) {
		if in, ok := below(dir, name); ok { // /app/run.sh of the container
			found, err = exec.LookPath(filepath.Join(dir, in))
		} else if found, err = exec.LookPath(filepath.Base(name)); err != nil { // /usr/bin/python
			err = fmt.Errorf("%s of the container is not on this box", text.Line(name))
		}
	}
	if err != nil && name == "python" {
		found, err = exec.LookPath("python3")
	}
	if err != nil {
		return "", fmt.Errorf("no program %s: %w; activate your environment first, or name another with --program", text.Line(name), err)
	}
	return filepath.Abs(found)
}

// below looks for an absolute path of a container in a folder: /app/src/run.py is
// src/run.py or run.py there.
func below(dir, path string) (string, bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i := range parts {
		name := filepath.Join(parts[i:]...)
		if st, err := os.Stat(filepath.Join(dir, name)); err == nil && st.Mode().IsRegular() {
			return name, true
		}
	}
	return "", false
}

// develop is what the spec of a launch keeps of a person's own code: with the
// state of each folder now.
func (s *Session) develop(ctx context.Context, requests []LaunchRequest) []LaunchRequest {
	seen := map[string]runner.Source{}
	look := func(path string) runner.Source {
		if _, ok := seen[path]; !ok {
			seen[path] = source.Look(ctx, path)
		}
		return seen[path]
	}
	out := slices.Clone(requests)
	for i := range out {
		r := s.withProgram(out[i])
		if r.Develop != nil {
			d := *r.Develop
			d.Binds = slices.Clone(d.Binds)
			for k := range d.Binds {
				d.Binds[k].Source = look(d.Binds[k].Path)
			}
			if d.Source != nil {
				src := look(d.Source.Path)
				d.Source = &src
			}
			if d.Descriptor != nil {
				src := look(d.Descriptor.Path)
				d.Descriptor = &src
			}
			r.Develop = &d
		}
		out[i] = r
	}
	return out
}

// takeDevelop takes over what an earlier run had of its own, but what was done by
// hand.
func (r *LaunchRequest) takeDevelop(run runner.Run) {
	if run.Develop == nil {
		return
	}
	d := *run.Develop
	d.Shell, d.Program, d.Words = false, nil, 0
	if run.Develop.Source != nil && run.Develop.Program != nil {
		d.Program = slices.Clone(run.Develop.Program)
	}
	r.Develop = &d
}

// checkOwn is the line of a person's own code in what is looked at before a
// launch, if there is any.
func (s *Session) checkOwn(ctx context.Context, r LaunchRequest) []Check {
	if r.Develop == nil {
		return nil
	}
	if err := s.checkDevelop(r); err != nil {
		return []Check{{Name: "own code", Text: err.Error(), Next: "mend it, or leave it out"}}
	}
	r = s.develop(ctx, []LaunchRequest{r})[0]
	var lines []string
	for _, l := range DevelopLines(r.Develop, nil) {
		lines = append(lines, l.Text)
	}
	if len(lines) == 0 {
		return nil
	}
	return []Check{{Name: "own code", OK: true, Warn: r.Develop.Label() != "", Text: strings.Join(lines, "; "),
		Next: "the analysis is marked: " + r.Develop.Label()}}
}

// ownProcess says what a launch without a container runs.
func ownProcess(r LaunchRequest) string {
	if r.Develop != nil && r.Develop.Source != nil {
		return "no container: your own source runs as a plain process of yours"
	}
	return "no container: the program runs as a plain process of yours"
}

// instead notes that another container than the algorithm's own runs. The same
// one by its digest is no other. An algorithm as an earlier run kept it has the
// container of that run; what that one took the place of is in d.
func instead(d *runner.Develop, own, chosen string) *runner.Develop {
	c := runner.Develop{}
	if d != nil {
		c = *d
	}
	if c.Instead != "" {
		own = c.Instead
	}
	c.Instead = ""
	if own != "" && !apptainer.SameImage(own, chosen) {
		c.Instead = own
	}
	if d == nil && c.Instead == "" {
		return nil
	}
	return &c
}

// CacheOf are the folders of the container that an analysis kept for later runs.
func CacheOf(a Analysis) []string {
	if a.Run == nil {
		return nil
	}
	return a.Run.Cache
}

// DevelopOf is what an analysis that is launched again takes over of a person's
// own.
func DevelopOf(a Analysis) *runner.Develop {
	var r LaunchRequest
	if a.Run != nil {
		r.takeDevelop(*a.Run)
	}
	return r.Develop
}

// OtherContainer is the container of an analysis that was launched with one of a
// person's choice, empty where it had its algorithm's own.
func OtherContainer(a Analysis) string {
	if a.Run == nil || a.Run.Runtime == runner.Process || a.Run.Develop == nil {
		return ""
	}
	return a.Run.Algorithm.Container
}
