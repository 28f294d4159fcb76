package runner

import (
	"fmt"
	"strings"
	"time"
)

// Develop is what a launch adds to an algorithm or replaces of it, for whoever
// works on its program. Nothing in it is secret.
type Develop struct {
	Binds []Bind     `json:"binds,omitempty"`
	Env   []Variable `json:"env,omitempty"`
	// Source is the person's own folder that the process runtime works in.
	Source *Source `json:"source,omitempty"`
	// Program are the words that take the place of the first Words ones of the
	// command line: a person's own interpreter and file.
	Program []string `json:"program,omitempty"`
	Words   int      `json:"words,omitempty"`
	// Descriptor is the person's own file with command line and parameters, where
	// it differs from what is registered.
	Descriptor *Source `json:"descriptor,omitempty"`
	// Instead is the algorithm's own container where another one was named.
	Instead string `json:"instead_of,omitempty"`
	// Keep saves the work folder from being pruned.
	Keep bool `json:"keep,omitempty"`
	// Shell tells that a person worked by hand in place of the program, in Home
	// where that is the folder of another run.
	Shell bool   `json:"shell,omitempty"`
	Home  string `json:"home,omitempty"`
}

// Bind is a file or folder of the box that the container sees.
type Bind struct {
	Source
	Inside   string `json:"inside"` // absolute path in the container
	ReadOnly bool   `json:"read_only,omitempty"`
}

// String is the bind as it is written for --bind.
func (b Bind) String() string {
	s := b.Path + ":" + b.Inside
	if b.ReadOnly {
		s += ":ro"
	}
	return s
}

// Variable is one variable of the program's environment. One without a value
// takes it from the environment of whoever launches, and it is kept nowhere.
type Variable struct {
	Name  string  `json:"name"`
	Value *string `json:"value,omitempty"`
}

// String is the variable as it is written for --env.
func (v Variable) String() string {
	if v.Value == nil {
		return v.Name
	}
	return v.Name + "=" + *v.Value
}

// Source is a file or folder with code, and its state.
type Source struct {
	Path string `json:"path"` // absolute, on the box of the run
	// Commit is the full id of what is checked out, empty where that is not
	// known; then Problem says why, such as "not a git repository".
	Commit string `json:"commit,omitempty"`
	Branch string `json:"branch,omitempty"` // empty for a detached head
	// Dirty counts the files that differ from the commit or are not in it.
	Dirty int `json:"dirty,omitempty"`
	// Files is "sha256:HEX" over names and content of all files that git does
	// not ignore: what has the same one is the same code, committed or not. It
	// is empty where that was too much to read.
	Files   string    `json:"files,omitempty"`
	Problem string    `json:"problem,omitempty"`
	Time    time.Time `json:"time,omitzero"` // when it was looked at
}

// String says in one line which code it is.
func (s Source) String() string {
	var parts []string
	if s.Commit != "" {
		at := "commit " + s.Commit[:min(len(s.Commit), 12)]
		if s.Branch != "" {
			at += " on " + s.Branch
		}
		parts = append(parts, at)
		if s.Dirty == 1 {
			parts = append(parts, "1 file changed")
		} else if s.Dirty > 1 {
			parts = append(parts, fmt.Sprintf("%d files changed", s.Dirty))
		}
	}
	if s.Problem != "" {
		parts = append(parts, s.Problem)
	}
	if hex, ok := strings.CutPrefix(s.Files, "sha256:"); ok && (s.Dirty > 0 || s.Commit == "") {
		parts = append(parts, "files "+hex[:min(len(hex), 12)])
	}
	return strings.Join(parts, ", ")
}

// ByHand tells that a person worked by hand in place of the program.
func (d *Develop) ByHand() bool { return d != nil && d.Shell }

// Sources are all the pieces of code that a run was given, as they were at its
// launch.
func (d *Develop) Sources() []Source {
	if d == nil {
		return nil
	}
	var all []Source
	if d.Source != nil {
		all = append(all, *d.Source)
	}
	if d.Descriptor != nil {
		all = append(all, *d.Descriptor)
	}
	for _, b := range d.Binds {
		all = append(all, b.Source)
	}
	return all
}

// Label says in a few words what of a run is not the algorithm's own, so that
// its name and version are no evidence of what ran; empty where all is.
func (d *Develop) Label() string {
	if d == nil {
		return ""
	}
	var words []string
	if len(d.Binds) > 0 || d.Source != nil {
		words = append(words, "modified code")
	}
	if d.Descriptor != nil {
		words = append(words, "own descriptor")
	}
	if d.Instead != "" {
		words = append(words, "another container")
	}
	if len(d.Env) > 0 {
		words = append(words, "own variables")
	}
	if d.Shell {
		words = append(words, "by hand in a shell")
	}
	return strings.Join(words, ", ")
}
