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

// BenchmarkServer100000 is from the question over real HTTP to a server with 100,000 jobs
// to a drawn screen, and then what pages and keys cost while all of them are known.
func BenchmarkServer100000(b *testing.B) {
	site := tuitest.New(b)
	const n = 100_000
	site.AddJobs(n)
	first := time.Duration(0)
	var pages, keys []time.Duration
	for b.Loop() {
		m := New(site.Session)
		m.SetSize(120, 35)
		m.filter.Set("")
		began := time.Now()
		m.Update(m.feed.askNewest(site.Session, m.now)())
		_ = m.View()
		first = max(first, time.Since(began))
		if m.view.shown != 200 {
			b.Fatal(m.view.shown, " at first")
		}
		for !m.feed.pager.Done {
			m.feed.page, m.feed.fruitless = 0, 0 // the last one's command may not have run
			read := m.feed.askPage(site.Session)()
			began := time.Now()
			m.Update(read)
			pages = append(pages, time.Since(began))
		}
		if m.view.shown != n {
			b.Fatal(m.view.shown, " in all")
		}
		m.key(keymap.Press("/"))
		for _, filter := range []string{"state:failed", "cuda memory", "algorithm:stain number>500"} {
			m.filter.Set("")
			for _, r := range filter {
				began := time.Now()
				m.key(keymap.Press(string(r)))
				_ = m.View()
				keys = append(keys, time.Since(began))
			}
		}
	}
	slices.Sort(keys)
	slices.Sort(pages)
	bench.Report(b, "analyses/first-page-of-100000", ms(first), "ms", 100, true)
	bench.Report(b, "analyses/page-arrives-among-100000", ms(pages[len(pages)/2]), "ms", 16, true)
	bench.Report(b, "analyses/filter-key-100000-of-server", ms(keys[len(keys)/2]), "ms", 16, true)
}
