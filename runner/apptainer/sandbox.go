package apptainer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// isArchive tells what `docker save` wrote by its name.
func isArchive(path string) bool {
	return strings.HasSuffix(path, ".tar") || strings.HasSuffix(path, ".tar.gz") || strings.HasSuffix(path, ".tgz")
}

func isFolder(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// IsFolder tells whether a reference is a folder with a root file system: what
// ran from it cannot be known again.
func IsFolder(reference string) bool {
	src, err := parse(reference)
	return err == nil && src.kind == fromFile && isFolder(src.path)
}

// checkFolder tells a root file system from any other folder, such as the source
// that somebody meant to bind, and finds the folders that apptainer mounts over
// and cannot make.
func checkFolder(path string) error {
	there := func(name string) bool {
		_, err := os.Lstat(filepath.Join(path, name))
		return err == nil
	}
	if !there(".singularity.d") && !there("bin") && !there("usr") {
		return errors.New("the folder holds no root file system (no bin, no usr); a sandbox is made with 'apptainer build --sandbox', and source is shown in a container with --bind")
	}
	var missing []string
	for _, name := range []string{"dev", "proc", "sys", "tmp", "var/tmp", "etc"} {
		if !there(name) {
			missing = append(missing, filepath.Join(path, name))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the folder lacks what every root file system has; run: mkdir -p %s", strings.Join(missing, " "))
	}
	return nil
}

// folderEntry is entry for a sandbox: by its runscript where it has one.
func folderEntry(path string) (verb string, front []string) {
	script, err := os.ReadFile(filepath.Join(path, ".singularity.d", "runscript"))
	if err != nil || strings.TrimSpace(string(script)) == "" || strings.Contains(string(script), noRunscript) {
		return "exec", nil
	}
	return "run", nil
}

// CheckNamed tells what is wrong with a container that a person names, as far as
// that can be seen at once: a folder without a root file system, and a reference
// to a registry while something of that name lies in the working folder.
func CheckNamed(reference string) error {
	src, err := parse(reference)
	if err == nil && src.kind == fromFile && isFolder(src.path) {
		if err := checkFolder(src.path); err != nil {
			return fmt.Errorf("container %s: %w", reference, err)
		}
	}
	if err != nil || src.ref == nil || strings.Contains(reference, "://") {
		return nil
	}
	if _, err := os.Stat(reference); err != nil {
		return nil
	}
	return fmt.Errorf("container %s would be looked for in a registry, and here is something of that name; write ./%s for that, or docker://%s", reference, reference, reference)
}
