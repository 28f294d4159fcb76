// Package imports holds the direction in which this module's packages may import each
// other, and a test that compares the module with it:
//
//	cmd -> tui -> internal/app -> forms, runner -> client -> client/descriptor
//
// A new top-level folder needs a line in rooms; everything else is found by itself.
package imports

import (
	"fmt"
	"slices"
	"strings"
)

// module is the import path of this module.
const module = "github.com/cytorun/cytorun"

// rooms names every part of the module with its height. A package may import from its
// own room and from lower ones. Rooms of the same height know nothing of each other.
var rooms = map[string]int{
	"scripts":           0, // the scripts, for embedding
	"internal/text":     0, // how untrusted text is shown
	"internal/bench":    0, // how benchmarks report
	"internal/imports":  0,
	"client/descriptor": 1,
	"client":            2,
	"forms":             3,
	"runner":            3,
	"internal/demo":     3, // a server's content and the programs that run on it
	"internal/app":      4,
	"tui":               5,
	"cmd":               6,
}

// screens are the module paths of the terminal user interface, and their only users.
var (
	screens     = []string{"charm.land/"}
	screenUsers = []string{"tui", "forms/prompt"}
)

// The parent of each container lives as long as the container does, so it stays small:
// keepUses is all it may import beside the standard library, and keepNever is what
// nothing that it imports may draw in.
var (
	keepUses  = []string{module + "/runner", "golang.org/x/sys", "github.com/gofrs/flock"}
	keepNever = []string{"net/http", "database/sql", "charm.land", "github.com/spf13/cobra", "github.com/go-resty/resty", "modernc.org"}
)

// pkg is one package as `go list -deps -json` describes it.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string // direct, without tests
	Deps       []string // all, direct or not
}

// check returns one sentence for each import that the architecture forbids, sorted.
func check(pkgs []pkg) []string {
	var wrong []string
	standard := map[string]bool{}
	for _, p := range pkgs {
		standard[p.ImportPath] = p.Standard
	}
	for _, p := range pkgs {
		name, ours := strings.CutPrefix(p.ImportPath, module+"/")
		if !ours {
			continue
		}
		from := room(name)
		if from == "" {
			wrong = append(wrong, name+" lies in no known room; give its folder a line in internal/imports")
			continue
		}
		for _, i := range p.Imports {
			if why := forbidden(name, from, i); why != "" {
				wrong = append(wrong, fmt.Sprintf("%s imports %s: %s", name, i, why))
			}
		}
		switch from {
		case "cmd":
			if slices.Contains(p.Deps, "testing") {
				wrong = append(wrong, name+" draws in the package testing; see who imports internal/bench or a test helper")
			}
		case "runner":
			if within(name, "runner/keep") {
				wrong = append(wrong, checkKeep(name, p, standard)...)
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

// forbidden says why a package of room from may not import path, or nothing.
func forbidden(name, from, path string) string {
	if hasAny(path, screens) && !slices.ContainsFunc(screenUsers, func(u string) bool { return within(name, u) }) {
		return "only " + strings.Join(screenUsers, " and ") + " know the terminal user interface"
	}
	target, ours := strings.CutPrefix(path, module+"/")
	if !ours {
		return ""
	}
	to := room(target)
	switch {
	case to == "" || to == from || rooms[to] < rooms[from]:
		return "" // an unknown room is reported at the package itself
	case rooms[to] == rooms[from]:
		return from + " and " + to + " stand side by side and know nothing of each other"
	default:
		return to + " stands above " + from
	}
}

// checkKeep holds runner/keep to what a process may carry that waits for hours.
func checkKeep(name string, p pkg, standard map[string]bool) []string {
	var wrong []string
	for _, i := range p.Imports {
		if !standard[i] && !within(i, module+"/runner/keep") && !slices.Contains(keepUses, i) && !hasAny(i, []string{"golang.org/x/sys/"}) {
			wrong = append(wrong, fmt.Sprintf("%s imports %s: keep stays tiny, it may use only the standard library and %s", name, i, strings.Join(keepUses, ", ")))
		}
	}
	for _, d := range p.Deps {
		if hasAny(d, keepNever) {
			wrong = append(wrong, fmt.Sprintf("%s draws in %s: keep stays tiny", name, d))
		}
	}
	return wrong
}

// room is the longest entry of rooms that holds the package, or nothing.
func room(name string) string {
	for n := name; ; {
		if _, ok := rooms[n]; ok {
			return n
		}
		i := strings.LastIndexByte(n, '/')
		if i < 0 {
			return ""
		}
		n = n[:i]
	}
}

// within tells whether the package is dir or lies below it.
func within(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

func hasAny(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(path, p) })
}
