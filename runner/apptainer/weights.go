package apptainer

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/internal/text"
)

// usualWeights are where programs keep the models that they download, inside
// the container. TORCH_HOME and HF_HOME have their default places here; an image
// that moves them brings its models along.
var usualWeights = []string{
	"/tmp/models",
	HomeInside + "/.cellpose",
	HomeInside + "/.keras",
	HomeInside + "/.cache/torch",
	HomeInside + "/.cache/huggingface",
}

// Weights is a folder of this box in which the models of one algorithm outlive
// its runs.
type Weights struct {
	// Dir is the folder, absolute; empty keeps nothing.
	Dir string
	// More are paths inside the container to keep too, absolute or below ~.
	More []string
}

// places are the folders inside the container that are kept: the usual ones and
// more.
func places(more []string) ([]string, error) {
	all := slices.Clone(usualWeights)
	for _, named := range more {
		inside := named
		if rest, ok := strings.CutPrefix(inside, "~/"); ok {
			inside = HomeInside + "/" + rest
		}
		inside = path.Clean(inside)
		if !path.IsAbs(inside) || slices.Contains([]string{"/", "/tmp", "/home", HomeInside}, inside) || strings.ContainsAny(inside, ":,") ||
			strings.ContainsFunc(inside, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, fmt.Errorf("--cache %s: name a folder inside the container, such as /opt/models or ~/.models", text.Line(named))
		}
		if !slices.Contains(all, inside) {
			all = append(all, inside)
		}
	}
	return all, nil
}

// binds makes the folders and says where they appear.
func (w Weights) binds() ([]string, error) {
	if w.Dir == "" {
		return nil, nil
	}
	if !filepath.IsAbs(w.Dir) || strings.ContainsAny(w.Dir, ":,") {
		return nil, fmt.Errorf("folder %q for downloaded models must be absolute and have no colon or comma in its name; set another one with [paths] cache", w.Dir)
	}
	all, err := places(w.More)
	if err != nil {
		return nil, err
	}
	var binds []string
	for _, inside := range all {
		// A flat name, so that one never lies in another.
		dir := filepath.Join(w.Dir, strings.ReplaceAll(strings.TrimPrefix(inside, "/"), "/", "%"))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fileError("make the folder for downloaded models", err)
		}
		binds = append(binds, dir+":"+inside)
	}
	return binds, nil
}

// use makes the folders and notes the time: a folder's own tells when a run
// began that may use what is in it.
func (w Weights) use() error {
	binds, err := w.binds()
	if err == nil && len(binds) > 0 {
		now := time.Now()
		_ = os.Chtimes(w.Dir, now, now) // only how it is listed depends on it
	}
	return err
}

// CheckKept tells whether paths can be kept for the programs of an algorithm, as
// Weights.More.
func CheckKept(paths []string) error {
	_, err := places(paths)
	return err
}
