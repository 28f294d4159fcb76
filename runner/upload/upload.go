// Package upload brings what a file program left in its output folder to an EXACT
// server: annotations as a plugin result, as ordinary annotations, or as both, and
// pictures as bitmaps of the result.
//
// Rules:
//   - everything is read and checked before anything is written;
//   - everything may be done again: each annotation has a UUID made of the run, its
//     file and its place, so that what is there already is left out;
//   - the folder was written by a program that nobody vouches for: only regular
//     files directly in it are read, and no link leads out of it.
package upload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/client/shapes"
	"github.com/cytorun/cytorun/runner"
)

// Job is what has to be brought to a server.
type Job struct {
	Server *exact.Client
	Run    runner.Run
	Folder string // what the program wrote
	Digest string // of the container, may be empty
	// Progress is told how many of all annotations are there, one call at a time.
	// It may be nil.
	Progress func(done, total int)
}

// Found is what a folder holds, checked.
type Found struct {
	// Annotations and Pictures are names of files, in order.
	Annotations, Pictures []string
	// Ignored are names of what is neither.
	Ignored []string
	Survey  shapes.Survey

	types shapes.Types
	image exact.Image
}

// Warnings are what a person would want to know of a folder.
func (f Found) Warnings() []string {
	var w []string
	if len(f.Annotations) == 0 && len(f.Pictures) == 0 {
		w = append(w, "no results: the program left no annotation file in exact_output")
	}
	if n := f.Survey.Outside; n > 0 {
		w = append(w, fmt.Sprintf("%d of %d annotations lie wholly outside the image of %d x %d pixels: are their coordinates those of the full image?", n, f.Survey.Shapes, f.image.Width, f.image.Height))
	}
	if n := f.Survey.Holes; n > 0 {
		w = append(w, fmt.Sprintf("%d holes in polygons were left out, EXACT keeps none", n))
	}
	if len(f.Ignored) > 0 {
		w = append(w, fmt.Sprintf("not brought to the server: %s", strings.Join(f.Ignored[:min(len(f.Ignored), 10)], ", ")))
	}
	return w
}

// mostEntries bounds the parts of one plugin result: a person shows and hides them
// one by one.
const mostEntries = 100

// Check reads everything in the folder and tells what is wrong with it. Nothing is
// written.
func (j Job) Check(ctx context.Context) (Found, error) {
	var f Found
	if err := j.list(&f); err != nil {
		return f, err
	}
	var err error
	if f.image, err = j.Server.Image(ctx, j.Run.Image.ID); err != nil {
		return f, fmt.Errorf("cannot read the image of the run on the server: %w", err)
	}
	if len(f.Annotations) > 0 {
		types, err := j.Server.AnnotationTypes(ctx, j.Run.Project.ID)
		if err != nil {
			return f, fmt.Errorf("cannot read the annotation types of image set %s: %w", j.Run.Project.Name, err)
		}
		for _, t := range types {
			f.types = append(f.types, shapes.Type{ID: t.ID, Name: t.Name, VectorType: shapes.VectorType(t.VectorType), Nodes: t.NodeCount, Width: float64(t.Width), Height: float64(t.Height)})
		}
	}
	for _, name := range f.Annotations {
		err := j.read(name, func(s shapes.Shape) error {
			t, err := f.types.Find(s)
			if err == nil {
				_, err = t.Vector(s)
			}
			if err != nil {
				return &shapes.Error{Index: s.Index, Err: err}
			}
			if s.Entry = entryOf(s, name); !slices.Contains(f.Survey.Entries, s.Entry) && len(f.Survey.Entries) == mostEntries {
				return &shapes.Error{Index: s.Index, Err: fmt.Errorf("entry %q would be number %d of the result", s.Entry, mostEntries+1)}
			}
			f.Survey.Add(s, t, f.image.Width, f.image.Height)
			return ctx.Err()
		})
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// list finds the files in the folder.
func (j Job) list(f *Found) error {
	entries, err := os.ReadDir(j.Folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot look at what the program left: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		switch ext := strings.ToLower(filepath.Ext(name)); {
		case strings.HasPrefix(name, "."):
		case !e.Type().IsRegular():
			f.Ignored = append(f.Ignored, name)
		case ext == ".json", ext == ".geojson":
			f.Annotations = append(f.Annotations, name)
		case ext == ".png":
			f.Pictures = append(f.Pictures, name)
		default:
			f.Ignored = append(f.Ignored, name)
		}
	}
	return nil
}

// open opens a file of the folder, and nothing that lies elsewhere.
func (j Job) open(name string) (*os.File, error) {
	root, err := os.OpenRoot(j.Folder)
	if err != nil {
		return nil, fmt.Errorf("cannot look at what the program left: %w", err)
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read what the program left: %w", err)
	}
	return f, nil
}

// read reads the shapes of a file.
func (j Job) read(name string, each func(shapes.Shape) error) error {
	f, err := j.open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := shapes.Read(f, each); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// entryOf is the part of the result in which a shape is shown.
func entryOf(s shapes.Shape, file string) string {
	if s.Entry != "" {
		return s.Entry
	}
	return strings.TrimSuffix(file, filepath.Ext(file))
}

// Sent is what was brought to the server.
type Sent struct {
	Result      client.ID // 0: none
	Annotations int       // each counted once, even where it was written as both
	Pictures    int
}
