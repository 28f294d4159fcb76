package apptainer

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Places inside the container.
const (
	// HomeInside is HOME and the working folder of the program.
	HomeInside = "/home/run"
)

// Job is one execution of a container.
type Job struct {
	Container Container
	// Argv is what the program gets after its own entrypoint.
	Argv []string
	// WorkDir is a folder on a real disk. Its "home" becomes HOME and the
	// working folder of the program, its "tmp" holds /tmp and /var/tmp. Prepare
	// makes both.
	WorkDir string
	// Home is a folder that becomes HOME in place of WorkDir's "home".
	Home string
	// Exec starts Argv itself, whatever the container's own program is.
	Exec bool
	// Env is what the program's environment has besides what the container
	// itself sets. Nothing of our own environment reaches it.
	Env map[string]string
	// Binds are folders of the host to show inside, as SOURCE:DESTINATION or
	// SOURCE:DESTINATION:ro.
	Binds []string
	GPU   bool
	// Weights keeps the models that the program downloads.
	Weights Weights
	// Memory in bytes and CPUs in processors are limits; 0 is none. They hold
	// only where Limits says so.
	Memory int64
	CPUs   float64
}

// Prepare makes the folders that the container needs below WorkDir. Whoever
// starts the container calls it first.
func (j Job) Prepare() error {
	if !filepath.IsAbs(j.WorkDir) {
		return fmt.Errorf("folder %q for the container is not absolute", j.WorkDir)
	}
	// The command splits its --home at colons and knows no quotes.
	if strings.Contains(j.WorkDir+j.Home, ":") {
		return fmt.Errorf("folder %q for the container has a colon in its name, which apptainer cannot take; set another one with [paths] work", j.WorkDir)
	}
	for _, d := range []string{"home", "tmp"} {
		if err := os.MkdirAll(filepath.Join(j.WorkDir, d), 0o700); err != nil {
			return fmt.Errorf("prepare the folder of the container: %w", err)
		}
	}
	return j.Weights.use()
}

// Command is what starts the job: argv with the command itself first, and its
// whole environment.
//
// An image that came from a registry is started as its own entrypoint with
// Argv appended, as docker does; its default arguments apply when Argv is
// empty. A SIF with a runscript of its own is started by that. One without any
// is started with Argv as the command.
//
// HOME, /tmp and /var/tmp lie below WorkDir, because under --containall an
// ordinary user otherwise has 64 MB for the three together. --no-eval and
// APPTAINERENV_* carry values exactly; --env does not.
func (a *Apptainer) Command(j Job) (argv, env []string) {
	verb, front := entry(j.Container.Path, len(j.Argv) > 0)
	if j.Exec {
		verb, front = "exec", nil
	}
	argv = []string{a.Path, "--nocolor", "-q", verb, "-C", "-e"}
	if a.noEval {
		argv = append(argv, "--no-eval")
	}
	argv = append(argv,
		"--home", cmp.Or(j.Home, filepath.Join(j.WorkDir, "home"))+":"+HomeInside,
		"--workdir", filepath.Join(j.WorkDir, "tmp"),
		"--pwd", HomeInside)
	weights, _ := j.Weights.binds() // Prepare has said what is wrong with them
	for _, b := range append(weights, j.Binds...) {
		argv = append(argv, "--bind", b)
	}
	if (j.Memory > 0 || j.CPUs > 0) && a.Limits() == nil {
		if j.Memory > 0 {
			argv = append(argv, "--memory", strconv.FormatInt(j.Memory, 10))
		}
		if j.CPUs > 0 {
			argv = append(argv, "--cpus", strconv.FormatFloat(j.CPUs, 'f', -1, 64))
		}
	}
	if j.GPU {
		argv = append(argv, "--nv")
	}
	argv = append(argv, j.Container.Path)
	argv = append(argv, front...)
	argv = append(argv, j.Argv...)

	env = a.environ(os.Environ())
	if a.unsquash {
		// Unpacked beside what the program writes: that goes with the run, also
		// when all of this is killed.
		env = append(env, a.prefix()+"_UNSQUASH=1", a.prefix()+"_TMPDIR="+filepath.Join(j.WorkDir, "tmp"))
	}
	names := make([]string, 0, len(j.Env))
	for k := range j.Env {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		if validName(k) && !strings.ContainsRune(j.Env[k], 0) {
			env = append(env, a.prefix()+"ENV_"+k+"="+a.value(j.Env[k]))
		}
	}
	return argv, env
}

// evaluated are the characters that a shell reads between double quotes, but
// for the quote.
var evaluated = strings.NewReplacer(`\`, `\\`, "$", `\$`, "`", "\\`")

// value is the value of a variable as the command wants it: one that does not
// know --no-eval has a shell read it between double quotes, and only takes care
// of quotes in it itself.
func (a *Apptainer) value(v string) string {
	if a.noEval {
		return v
	}
	return evaluated.Replace(v)
}

// environ is host without the variables that would change what the command
// does or put something into the container. Where it keeps its files and how
// it reaches the network stays.
func (a *Apptainer) environ(host []string) []string {
	var out []string
	for _, kv := range host {
		name, _, _ := strings.Cut(kv, "=")
		rest, ours := strings.CutPrefix(name, "APPTAINER")
		if !ours {
			rest, ours = strings.CutPrefix(name, "SINGULARITY")
		}
		if ours && rest != "_TMPDIR" && rest != "_CACHEDIR" && rest != "_CONFIGDIR" {
			continue
		}
		if ours && (rest == "_TMPDIR" && a.Tmp != "" || rest == "_CACHEDIR" && a.Cache != "") {
			continue
		}
		out = append(out, kv)
	}
	if a.Tmp != "" {
		out = append(out, a.prefix()+"_TMPDIR="+a.Tmp)
	}
	if a.Cache != "" {
		out = append(out, a.prefix()+"_CACHEDIR="+a.Cache)
	}
	return out
}

// validName tells whether an environment variable may be called so.
func validName(k string) bool {
	for i := 0; i < len(k); i++ {
		c := k[i]
		if c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return k != ""
}

// Program gives the words that Command starts inside the container: its own
// entrypoint, or the script that stands for one, and Argv.
func (j Job) Program() []string {
	verb, front := entry(j.Container.Path, len(j.Argv) > 0)
	if verb == "run" {
		front = []string{"/.singularity.d/runscript"}
	}
	return append(slices.Clone(front), j.Argv...)
}
