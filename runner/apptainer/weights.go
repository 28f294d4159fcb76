package apptainer

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
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

// binds makes the folders and says where they appear.
func (w Weights) binds() ([]string, error) {
	if w.Dir == "" {
		return nil, nil
	}
	if !filepath.IsAbs(w.Dir) || strings.ContainsAny(w.Dir, ":,") {
		return nil, fmt.Errorf("folder %q for downloaded models must be absolute and have no colon or comma in its name; set another one with [paths] cache", w.Dir)
	}
	var binds []string
	for i, inside := range append(append([]string{}, usualWeights...), w.More...) {
		if rest, ok := strings.CutPrefix(inside, "~/"); ok {
			inside = HomeInside + "/" + rest
		}
		inside = path.Clean(inside)
		if !path.IsAbs(inside) || inside == "/" || inside == HomeInside || strings.ContainsAny(inside, ":,") {
			return nil, fmt.Errorf("--cache %s: name a folder inside the container, such as /opt/models or ~/.models", w.More[i-len(usualWeights)])
		}
		// A flat name, so that one never lies in another.
		dir := filepath.Join(w.Dir, strings.ReplaceAll(strings.TrimPrefix(inside, "/"), "/", "%"))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fileError("make the folder for downloaded models", err)
		}
		binds = append(binds, dir+":"+inside)
	}
	return binds, nil
}
