package supervisor

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/runner/gpu"
	"github.com/cytorun/cytorun/runner/keep"
)

// variables are those that the person adds to the program's environment. The
// ones without a value are in the environment that this process was launched
// with; a supervisor that took the run over from somewhere else has them not.
func (s *supervisor) variables() (map[string]string, error) {
	env := map[string]string{}
	d := s.run().Develop
	if d == nil {
		return env, nil
	}
	for _, v := range d.Env {
		if v.Value != nil {
			env[v.Name] = *v.Value
			continue
		}
		value, ok := os.LookupEnv(v.Name)
		if !ok {
			return nil, fmt.Errorf("the value of %s was in the environment of the launch, is kept nowhere, and the process that had it is gone; launch the analysis again", v.Name)
		}
		env[v.Name] = value
	}
	return env, nil
}

// secretVariables are the values that must not stand in what is told of the run.
func (s *supervisor) secretVariables() []string {
	d := s.run().Develop
	if d == nil {
		return nil
	}
	var values []string
	for _, v := range d.Env {
		// Short ones, such as "1", stand in a log by chance.
		if value := os.Getenv(v.Name); v.Value == nil && len(value) >= 8 {
			values = append(values, value)
		}
	}
	return values
}

// addOwn gives a container the folders and variables of the person.
func (s *supervisor) addOwn(job *apptainer.Job) error {
	d := s.run().Develop
	if d == nil {
		return nil
	}
	own, err := s.variables()
	if err != nil {
		return err
	}
	if job.Env == nil {
		job.Env = map[string]string{}
	}
	maps.Copy(job.Env, own)
	for _, b := range d.Binds {
		if _, err := os.Stat(b.Path); err != nil {
			return fmt.Errorf("%s, which was to be bound to %s, is not there any more: %w", b.Path, b.Inside, err)
		}
		job.Binds = append(job.Binds, b.String())
	}
	return nil
}

// sourcePlan starts a person's own program in their own folder, with the
// environment of the launch: an interpreter finds its packages by that.
func (s *supervisor) sourcePlan(work, ca string) (keep.Plan, error) {
	d := s.run().Develop
	if st, err := os.Stat(d.Source.Path); err != nil || !st.IsDir() {
		return keep.Plan{}, fmt.Errorf("the folder %s of the source is not there any more", d.Source.Path)
	}
	own, err := s.variables()
	if err != nil {
		return keep.Plan{}, err
	}
	own["TMPDIR"], own["PWD"] = filepath.Join(work, "tmp"), d.Source.Path
	maps.Copy(own, gpu.Environment(s.run().GPUs))
	maps.Copy(own, s.exactEnv())
	if ca != "" {
		for _, name := range caVariables {
			own[name] = ca
		}
	}
	return keep.Plan{Argv: s.tokens(), Env: with(withoutKeys(os.Environ()), own), Dir: d.Source.Path}, nil
}

// with is an environment with variables set in it.
func with(env []string, set map[string]string) []string {
	out := slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		_, replaced := set[name]
		return replaced
	})
	for _, name := range slices.Sorted(maps.Keys(set)) {
		out = append(out, name+"="+set[name])
	}
	return out
}

// unknownVariable is a variable whose value was a secret of the launch and is not
// known to this process, so that it cannot be struck out of a log.
func (s *supervisor) unknownVariable() string {
	if d := s.run().Develop; d != nil {
		for _, v := range d.Env {
			if _, ok := os.LookupEnv(v.Name); v.Value == nil && !ok {
				return v.Name
			}
		}
	}
	return ""
}
