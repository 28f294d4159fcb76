package supervisor

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/runner"
)

// left is what a job left on the server; -1 and nil where nobody can tell.
type left struct {
	annotations, files int
	images             map[client.ID]int // annotations on each
}

var unknown = left{annotations: -1, files: -1}

// results counts what a job left on the server.
func results(ctx context.Context, server client.Server, job client.Job) left {
	found := unknown
	if counter, ok := server.(client.ImageCounter); ok {
		if images, err := counter.AnnotationsByImage(ctx, job); err == nil {
			found.images, found.annotations = images, 0
			for _, n := range images {
				found.annotations += n
			}
		}
	}
	if store, ok := server.(client.FileStore); ok {
		if files, err := store.JobFiles(ctx, job.ID); err == nil {
			found.files = len(files)
		}
	}
	return found
}

// warnings are what is odd about the results of a run that went well.
func (l left) warnings(run runner.Run) []string {
	if l.annotations == 0 && l.files <= 0 {
		if l.files < 0 {
			return []string{"no result written: the server has no annotation of this job"}
		}
		return []string{"no result written: the server has no annotation and no file of this job"}
	}
	if l.annotations <= 0 {
		return nil
	}
	var w []string
	for _, v := range chosenImages(run) {
		ids := strings.Split(v.Text, ",")
		var empty []string
		for i, text := range ids {
			id, err := strconv.ParseInt(text, 10, 64)
			if err != nil || l.images[client.ID(id)] > 0 {
				continue
			}
			name := text
			if i < len(v.Labels) && v.Labels[i] != "" {
				name = v.Labels[i]
			}
			empty = append(empty, name)
		}
		if len(empty) > 0 {
			w = append(w, fmt.Sprintf("results for %d of %d chosen images; none for %s", len(ids)-len(empty), len(ids), some(empty, 10)))
		}
	}
	return w
}

// chosenImages are the values that name images.
func chosenImages(run runner.Run) []client.Value {
	images := map[string]bool{}
	for _, p := range run.Algorithm.Parameters {
		if (p.Type == descriptor.Domain || p.Type == descriptor.ListDomain) && strings.Contains(strings.ToLower(p.URI), "imageinstance") {
			images[p.ID] = true
		}
	}
	var chosen []client.Value
	for _, v := range run.Values {
		if images[v.Parameter] && v.Text != "" {
			chosen = append(chosen, v)
		}
	}
	return chosen
}

// some lists names, at most so many.
func some(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
