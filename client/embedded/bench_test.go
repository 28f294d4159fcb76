package embedded

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// postPolygons posts n polygons as the Python client does: chunks of 15 from 4
// connections. It returns the first error.
func postPolygons(s *site, n int) error {
	const chunk, workers = 15, 4
	chunks := make(chan []string)
	go func() {
		defer close(chunks)
		var part []string
		for i := range n {
			x, y := i%90, i/90%70
			part = append(part, fmt.Sprintf(`{"location":"POLYGON ((%d %d, %d.5 %d, %d %d, %d.25 %d, %d %d))","image":%d,"project":%d,"term":[%d]}`,
				x, y, x+8, y, x+9, y+7, x, y+8, x, y, s.image, s.project, s.term))
			if len(part) == chunk || i == n-1 {
				chunks <- part
				part = nil
			}
		}
	}()
	errs := make(chan error, workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for part := range chunks {
				r := s.post("/api/annotation.json", "["+strings.Join(part, ",")+"]")
				if r.status != http.StatusOK {
					select {
					case errs <- fmt.Errorf("status %d: %s", r.status, r.body):
					default:
					}
				}
			}
		}()
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// BenchmarkPostAnnotations posts 10,000 polygons with a term each per iteration.
func BenchmarkPostAnnotations(b *testing.B) {
	s := newSite(b)
	software, _ := s.software("bulk")
	for range b.N {
		b.StopTimer()
		_, keys := s.job(software)
		app := s.as(keys)
		b.StartTimer()
		start := time.Now()
		if err := postPolygons(app, 10_000); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(10_000/time.Since(start).Seconds(), "polygons/s")
		b.StopTimer()
		if got := app.get("/api/annotation.json?project=%d&user=%d&max=1", s.project, keys.ID).id("size"); got != 10_000 {
			b.Fatalf("%d annotations arrived", got)
		}
	}
}

// manyJobs stores n jobs without going through the API.
func manyJobs(t testing.TB, s *site, n int) (software int64) {
	t.Helper()
	software, _ = s.software("many")
	other, _ := s.software("others")
	err := s.srv.store.update(context.Background(), func(tx *tx) error {
		for i := range n {
			of := software
			if i%3 == 0 {
				of = other
			}
			rec := record{"project": s.project, "software": of, "number": int64(i + 1), "status": int64(i % 9), "progress": int64(0),
				"launcher": s.admin.ID, "created": int64(1_600_000_000_000 + i*1000), "rate": -1.0, "dataDeleted": false}
			if err := jobClass.insert(tx, rec); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return software
}

// BenchmarkListJobs pages through 100,000 jobs with the filters of the web UI.
func BenchmarkListJobs(b *testing.B) {
	s := newSite(b)
	software := manyJobs(b, s, 100_000)
	for name, query := range map[string]string{
		"page":     fmt.Sprintf("project=%d&max=20&offset=0", s.project),
		"deep":     fmt.Sprintf("project=%d&max=20&offset=90000", s.project),
		"all":      "max=20",
		"software": fmt.Sprintf("project=%d&software=%d&max=20", s.project, software),
		"status":   fmt.Sprintf("project=%d&status%%5Bin%%5D=3%%2C4&max=20", s.project),
		"user":     fmt.Sprintf("project=%d&username%%5Bin%%5D=admin&max=20", s.project),
		"since":    fmt.Sprintf("project=%d&created%%5Bgte%%5D=1600090000000&max=20", s.project),
		"bystatus": fmt.Sprintf("project=%d&sort=status&order=asc&max=20", s.project),
		"byname":   fmt.Sprintf("project=%d&sort=softwareName&order=asc&max=20", s.project),
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				s.get("/api/job.json?withJobParameters=false&%s", query).ok()
			}
		})
	}
}
