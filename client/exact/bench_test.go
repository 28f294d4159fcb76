package exact

import (
	"fmt"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/internal/bench"
)

// BenchmarkLists reads an image set of 10,000 images with 20,000 jobs, by a client
// that knows nothing yet.
func BenchmarkLists(b *testing.B) {
	s := newSite(b, exacttest.Options{})
	set := client.ID(s.AddImageSet("large", s.demo.Team, s.demo.Product))
	second := s.AddPlugin(exacttest.Plugin{Name: "Second", Package: "org.example.second", Products: []int{s.demo.Product}})
	for _, image := range s.AddImages(int(set), 10_000) {
		s.AddJob(image, int(s.plugin), s.demo.Worker)
		s.AddJob(image, second, s.demo.Worker)
	}
	var took time.Duration
	requests := 0
	for b.Loop() {
		c := s.as(b, "worker", Options{})
		s.Forget()
		start := time.Now()
		page, err := c.Jobs(b.Context(), client.JobFilter{Project: set, Max: 20_000})
		took = time.Since(start)
		if err != nil || page.Total != 20_000 || len(page.Jobs) != 20_000 {
			b.Fatalf("%d jobs of %d, %v", len(page.Jobs), page.Total, err)
		}
		requests = len(s.Requests())
	}
	bench.Report(b, "exact/list-10000-images-20000-jobs", float64(took.Milliseconds()), "ms", 1000, true)
	bench.Report(b, "exact/list-10000-images-20000-jobs-requests", float64(requests), "requests", 5, true)
}

// BenchmarkUploads sends 5,000 annotations, into a result and as ordinary ones.
func BenchmarkUploads(b *testing.B) {
	const count = 5000
	for _, ordinary := range []bool{false, true} {
		name := "result"
		if ordinary {
			name = "ordinary"
		}
		b.Run(name, func(b *testing.B) {
			s := newSite(b, exacttest.Options{})
			c := s.as(b, "worker", Options{})
			rate := 0.0
			for round := 0; b.Loop(); round++ {
				job := s.newJob(b, c)
				result, _, err := c.CreateResult(b.Context(), NewResult{Job: job.ID, Image: job.Image, Plugin: job.Plugin})
				if err != nil {
					b.Fatal(err)
				}
				entry, err := c.CreateEntry(b.Context(), NewEntry{Result: result.ID, Name: "cells"})
				if err != nil {
					b.Fatal(err)
				}
				shapes, annotations := make([]ResultAnnotation, count), make([]Annotation, count)
				for i := range count {
					v, id := Vector{float64(i), 1, float64(i + 20), 21}, c.UUID(fmt.Sprint(round), fmt.Sprint(i))
					shapes[i] = ResultAnnotation{Image: job.Image, Type: client.ID(s.demo.Types[0]), Vector: v, Score: 0.5, UUID: id}
					annotations[i] = Annotation{Image: job.Image, Type: client.ID(s.demo.Types[0]), Vector: v, UUID: id}
				}
				start := time.Now()
				if ordinary {
					err = c.UpsertAnnotations(b.Context(), annotations, nil)
				} else {
					err = c.UploadResultAnnotations(b.Context(), entry.ID, shapes, nil)
				}
				if err != nil {
					b.Fatal(err)
				}
				rate = count / time.Since(start).Seconds()
			}
			bench.Report(b, "exact/upload-5000-"+name, rate, "1/s", 300, false)
		})
	}
}
