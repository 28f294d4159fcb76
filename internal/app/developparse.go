package app

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
)

// ParseBind reads SRC:/inside[:ro] as --bind takes it. SRC becomes absolute, and
// ~ is the person's home.
func ParseBind(s string) (runner.Bind, error) {
	words := strings.Split(s, ":")
	b := runner.Bind{}
	if n := len(words); n == 3 && (words[2] == "ro" || words[2] == "rw") {
		b.ReadOnly = words[2] == "ro"
		words = words[:2]
	}
	if len(words) != 2 || words[0] == "" || words[1] == "" {
		return b, fmt.Errorf("%q is no bind; write SRC:/inside or SRC:/inside:ro, such as ./src:/app", text.Line(s))
	}
	var err error
	if b.Path, err = absolute(words[0]); err != nil {
		return b, err
	}
	b.Inside = strings.TrimRight(words[1], "/")
	if b.Inside == "" {
		b.Inside = "/"
	}
	if err := apptainer.CheckBind(b.Path, b.Inside); err != nil {
		return b, fmt.Errorf("bind %s: %w", text.Line(s), err)
	}
	return b, nil
}

func absolute(path string) (string, error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok || path == "~" {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest), nil
		}
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return path, fmt.Errorf("cannot tell which folder %s is: %w", text.Line(path), err)
	}
	return path, nil
}

// ourVariables are those that only a launch may set.
var ourVariables = map[string]string{
	"HOME":                   "it is a folder of the run",
	"TMPDIR":                 "it is a folder of the run",
	"CUDA_VISIBLE_DEVICES":   "it says which GPUs the run was given; ask for some with --gpus or --gpu",
	"NVIDIA_VISIBLE_DEVICES": "it says which GPUs the run was given; ask for some with --gpus or --gpu",
}

var (
	variableName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`) })
	secretName   = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)secret|token|passw|passphrase|credential|private|api_?key|(^|_)(key|pw|pwd|auth)($|_)`)
	})
	secretValue = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\b[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\b|://[^/@\s]*:[^/@\s]+@|^(ghp|gho|github_pat|glpat|hf|sk|xox[abp])[-_]\w{8}|^AKIA[0-9A-Z]{12}|-----BEGIN|^eyJ[\w-]+\.`)
	})
)

// ParseVariable reads NAME=VALUE or NAME as --env takes it. A value that looks
// like a secret is refused: values are kept with the run, for everybody who reads
// it. A name alone takes the value from the environment at each launch, and that
// one is kept nowhere.
func ParseVariable(s string) (runner.Variable, error) {
	name, value, has := strings.Cut(s, "=")
	v := runner.Variable{Name: name}
	switch {
	case !variableName().MatchString(name):
		return v, fmt.Errorf("%q names no variable; write NAME=VALUE, or NAME to take it from your environment", text.Line(name))
	case ourVariables[name] != "":
		return v, fmt.Errorf("%s cannot be set: %s", name, ourVariables[name])
	case strings.HasPrefix(name, "APPTAINER") || strings.HasPrefix(name, "SINGULARITY"):
		return v, fmt.Errorf("%s cannot be set: it changes how the container itself is started", name)
	case !has:
		return v, nil
	case strings.ContainsRune(value, 0) || len(value) > maxVariable:
		return v, fmt.Errorf("the value of %s is too long; put it into a file and bind that", name)
	case value != "" && (secretName().MatchString(name) || secretValue().MatchString(value)):
		return v, fmt.Errorf("%s looks like a secret, and values are kept with the run: set it in your environment and write --env %s, then it is kept nowhere", name, name)
	}
	v.Value = &value
	return v, nil
}

// maxVariable bounds one variable, in bytes.
const maxVariable = 64 << 10

// SourceFolder is the folder of --workdir.
func SourceFolder(path string) (runner.Source, error) {
	path, err := absolute(path)
	if err != nil {
		return runner.Source{}, err
	}
	if st, err := os.Stat(path); err != nil || !st.IsDir() {
		return runner.Source{}, fmt.Errorf("%s is no folder on this box", text.Line(path))
	}
	return runner.Source{Path: path}, nil
}
