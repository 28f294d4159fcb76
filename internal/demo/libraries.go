package demo

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// libraryFolders are where the loaders of the usual distributions look without
// being told.
var libraryFolders = []string{
	"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
	"/lib64", "/usr/lib64", "/lib", "/usr/lib",
}

// libraries are the files that an executable needs to start: none for a static
// one, as `make` builds it, and the loader with a few libraries for one that
// was built with a C compiler at hand, as `go install` does.
func libraries(exe *os.File) ([]entry, error) {
	start, err := elf.NewFile(exe)
	if err != nil {
		return nil, fmt.Errorf("not a program of this system: %w", err)
	}
	loader, err := interpreter(start)
	if err != nil || loader == "" {
		return nil, err
	}
	found := map[string]entry{}
	waiting := []string{loader}
	names, err := start.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	waiting = append(waiting, names...)
	for len(waiting) > 0 {
		name := waiting[0]
		waiting = waiting[1:]
		if _, known := found[path.Base(name)]; known {
			continue
		}
		file, err := findLibrary(name)
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		found[path.Base(name)] = entry{name: strings.TrimPrefix(file, "/"), mode: 0o755, text: string(data)}
		needs, err := elf.NewFile(strings.NewReader(string(data)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		names, err := needs.ImportedLibraries()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		waiting = append(waiting, names...)
	}
	out := slices.Collect(maps.Values(found))
	slices.SortFunc(out, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// interpreter is the path of the loader that starts a program, empty for a
// static one.
func interpreter(f *elf.File) (string, error) {
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name := make([]byte, min(p.Filesz, 4096))
		if _, err := p.ReadAt(name, 0); err != nil {
			return "", err
		}
		return strings.TrimRight(string(name), "\x00"), nil
	}
	return "", nil
}

func findLibrary(name string) (string, error) {
	if strings.HasPrefix(name, "/") {
		return name, nil
	}
	for _, folder := range libraryFolders {
		file := path.Join(folder, name)
		if _, err := os.Stat(file); err == nil {
			return file, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("this program needs %s, which cannot be found; build it with CGO_ENABLED=0", name)
}
