package analyses

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/bench"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/tuitest"
)

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// many is a page of n jobs.
func many(n int, now time.Time) client.JobPage {
	page := client.JobPage{Total: n}
	for i := range n {
		page.Jobs = append(page.Jobs, client.Job{
			ID: client.ID(i + 1), Number: i + 1, Project: 1, Algorithm: client.ID(i % 7), AlgorithmName: fmt.Sprintf("algorithm-%d (1.%d)", i%7, i%3),
			Status: client.Status(i % 9), Created: now.Add(-time.Duration(i) * time.Minute), Username: fmt.Sprint("person", i%11), Comment: "exit code 1: CUDA out of memory",
		})
	}
	return page
}

// loaded is a screen that knows 100,000 jobs.
func loaded(b *testing.B) *Screen {
	site := tuitest.New(b)
	m := New(site.Session)
	m.SetSize(120, 35)
	m.filter.Set("")
	m.feed.list.TakeJobs(many(100_000, m.now).Jobs)
	m.feed.pager = app.Pager{Done: true, Total: 100_000}
	m.refilter()
	return m
}

func BenchmarkFilterKey100000(b *testing.B) {
	m := loaded(b)
	m.key(keymap.Press("/"))
	m.feed.pager.Done = true
	var all []time.Duration
	for b.Loop() {
		for _, filter := range []string{"state:failed", "cuda memory", "by:person3 -algorithm-2 number>500", "took>1h"} {
			m.filter.Set("")
			for _, r := range filter {
				began := time.Now()
				m.key(keymap.Press(string(r)))
				_ = m.View()
				all = append(all, time.Since(began))
			}
		}
	}
	slices.Sort(all)
	bench.Report(b, "analyses/filter-key-100000", ms(all[len(all)/2]), "ms", 16, true)
}

func BenchmarkCursorKey100000(b *testing.B) {
	m := loaded(b)
	var all []time.Duration
	for b.Loop() {
		for _, k := range []string{"down", "pgdown", "end", "up", "home"} {
			began := time.Now()
			m.key(keymap.Press(k))
			_ = m.View()
			all = append(all, time.Since(began))
		}
	}
	slices.Sort(all)
	bench.Report(b, "analyses/cursor-key-100000", ms(all[len(all)/2]), "ms", 16, true)
}

// BenchmarkFirstPage is from the server's first answer to a drawn screen.
func BenchmarkFirstPage(b *testing.B) {
	site := tuitest.New(b)
	page := many(200, time.Now())
	page.Total = 100_000
	took := time.Duration(0)
	for b.Loop() {
		m := New(site.Session)
		m.SetSize(120, 35)
		m.filter.Set("")
		m.feed.askNewest(site.Session, m.now)
		began := time.Now()
		m.Update(newestRead{gen: m.feed.newest, page: page, next: app.Pager{Offset: 200, Total: 100_000}})
		_ = m.View()
		took = max(took, time.Since(began))
	}
	bench.Report(b, "analyses/first-page-of-100000", ms(took), "ms", 100, true)
}
