package supervisor

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/runner/keep"
	"github.com/cytorun/cytorun/runner/shell"
)

// anyShell starts the best shell that a container has.
const anyShell = `[ -x /bin/bash ] && exec /bin/bash --norc "$@"; exec /bin/sh "$@"`

// scriptName is the file with the run's own command, in HOME.
const scriptName = "command.sh"

// Names of the variables by which a program may find its server; the keys are
// those of the job.
const (
	hostVariable    = "CYTOMINE_HOST"
	publicVariable  = "CYTOMINE_PUBLIC_KEY"
	privateVariable = "CYTOMINE_PRIVATE_KEY"
	projectVariable = "CYTOMINE_ID_PROJECT"
	idVariable      = "CYTOMINE_ID_SOFTWARE"
)

// shellVariables are what a shell has besides what its program would have.
func (s *supervisor) shellVariables() map[string]string {
	spec := s.run().Spec
	return map[string]string{
		hostVariable: spec.Server.URL, publicVariable: s.jobs.Public, privateVariable: s.jobs.Private,
		projectVariable: id(spec.Project.ID), idVariable: id(spec.Algorithm.ID),
		"PS1": strings.Map(plain, spec.Algorithm.Name) + ":\\w\\$ ",
	}
}

// plain keeps what a prompt does not read as something else.
func plain(r rune) rune {
	if r > ' ' && r < 0x7f && !strings.ContainsRune("\\$`!\"'", r) {
		return r
	}
	return '-'
}

// shellPlan makes what stands for the program of a shell, and what it hands to
// the person's terminal.
func (s *supervisor) shellPlan(p shell.Plan, work, digest string) (keep.Plan, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return keep.Plan{}, err
	}
	return keep.Plan{
		Argv: []string{s.exe, "hold", s.folder}, Dir: work, Digest: digest,
		Env: []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + filepath.Join(work, "tmp"), shell.Variable + "=" + string(data)},
	}, nil
}

// containerShell is the shell in a container that is ready for its program.
func (s *supervisor) containerShell(a *apptainer.Apptainer, job apptainer.Job) (keep.Plan, error) {
	home := job.Home
	if home == "" {
		home = filepath.Join(job.WorkDir, "home")
	}
	secrets := newMasks()
	known := job
	known.Argv, known.Env = s.maskedWords(secrets), map[string]string{}
	for name, value := range job.Env {
		known.Env[name] = value
	}
	for name := range s.exactEnv() {
		known.Env[name] = s.maskedToken(secrets)
	}
	for _, v := range s.run().Develop.Env {
		if v.Value == nil {
			known.Env[v.Name] = secrets.of(v.Name)
		}
	}
	argv, env := a.Command(known)
	var exports []string
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "APPTAINER") || strings.HasPrefix(name, "SINGULARITY") {
			exports = append(exports, "export "+name+"="+secrets.quote(value))
		}
	}
	script := s.script(secrets, known.Program(), append(exports, "exec "+secrets.join(argv)+` "$@"`))
	if err := writeScript(filepath.Join(home, scriptName), script); err != nil {
		return keep.Plan{}, err
	}
	for name, value := range s.shellVariables() {
		job.Env[name] = value
	}
	job.Env[shell.Mark] = s.run().ID
	job.Argv, job.Exec = nil, true
	argv, env = a.Command(job)
	return s.shellPlan(shell.Plan{
		Front: argv, Program: []string{"/bin/sh", "-c", anyShell, "sh"}, Env: env, Dir: job.WorkDir,
		Script: filepath.Join(home, scriptName), Inside: apptainer.HomeInside + "/" + scriptName,
	}, job.WorkDir, job.Container.Digest)
}

// processShell is a shell on the box itself, where the program would start.
func (s *supervisor) processShell(work string, p keep.Plan) (keep.Plan, error) {
	secrets := newMasks()
	argv := s.maskedWords(secrets)
	if d := s.run().Develop; d.Source == nil {
		argv = append([]string{s.exe, "demo-program"}, argv...)
	}
	p.Env = with(p.Env, s.shellVariables())
	path := filepath.Join(work, scriptName)
	lines := []string{"cd " + shellescape.Quote(p.Dir) + " || exit", "exec " + secrets.join(argv) + ` "$@"`}
	if err := writeScript(path, s.script(secrets, nil, lines)); err != nil {
		return keep.Plan{}, err
	}
	program := os.Getenv("SHELL")
	if !filepath.IsAbs(program) {
		program = "/bin/sh"
	}
	return s.shellPlan(shell.Plan{Program: []string{program}, Env: p.Env, Dir: p.Dir, Script: path}, work, "")
}

// script is a file that starts the run's own command. What is secret comes from
// the environment, or is asked for.
func (s *supervisor) script(secrets *masks, inside, outside []string) string {
	spec := s.run().Spec
	algorithm := client.Algorithm{Name: spec.Algorithm.Name, Version: spec.Algorithm.Version}
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n# The command of %s as cytorun starts it, of run %s.\n", oneLine(algorithm.FullName()), spec.ID)
	b.WriteString(`# Keys and other secrets come from the environment, else they are asked for.
# Outside of its shell nothing holds GPUs for it.
need() {
	eval "value=\${$1:-}"
	[ -n "$value" ] && return
	printf '%s: ' "$1" >&2
	stty -echo 2>/dev/null
	IFS= read -r value
	stty echo 2>/dev/null
	echo >&2
	[ -n "$value" ] || { echo "$0: $1 is not set" >&2; exit 2; }
	export "$1=$value"
}
`)
	for _, name := range secrets.used {
		fmt.Fprintf(&b, "need %s\n", name)
	}
	if inside != nil {
		fmt.Fprintf(&b, "if [ \"${%s:-}\" = %s ]; then\n\texec %s \"$@\"\nfi\n", shell.Mark, spec.ID, secrets.join(inside))
	}
	b.WriteString(strings.Join(outside, "\n") + "\n")
	return b.String()
}

// writeScript replaces a file that only its owner may read and start. A program
// may have put anything in its place.
func writeScript(path, script string) error {
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.RemoveAll(path)
	}
	if err == nil {
		err = os.WriteFile(path, []byte(script), 0o700)
	}
	if err == nil {
		err = os.Chmod(path, 0o700)
	}
	if err != nil {
		return fmt.Errorf("cannot write the command of the shell: %w", err)
	}
	return nil
}

// masks stand for secrets in words that become a script: each is replaced by the
// variable that holds the secret.
type masks struct {
	random string
	used   []string
}

func newMasks() *masks { return &masks{random: "%" + strings.ToLower(rand.Text()) + "%"} }

// of is what stands for a variable.
func (m *masks) of(name string) string {
	if !slices.Contains(m.used, name) {
		m.used = append(m.used, name)
	}
	return m.random + name + m.random
}

func (m *masks) keys() client.Keys {
	return client.Keys{Public: m.of(publicVariable), Private: m.of(privateVariable)}
}

// quote writes a word for a shell.
func (m *masks) quote(word string) string {
	var b strings.Builder
	for i, part := range strings.Split(word, m.random) {
		if i%2 == 1 {
			b.WriteString(`"$` + part + `"`)
		} else if part != "" || !strings.Contains(word, m.random) {
			b.WriteString(shellescape.Quote(part))
		}
	}
	return b.String()
}

func (m *masks) join(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = m.quote(w)
	}
	return strings.Join(out, " ")
}
