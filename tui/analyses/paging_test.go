package analyses

import (
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/tuitest"
)

func TestAnAlgorithmIsAskedForByItsID(t *testing.T) {
	site := tuitest.New(t)
	site.AddJobs(3000)
	m, d := open(t, site, 100, 25)
	d.Send(nav.OpenAnalyses{Filter: "algorithm:stain number<100"})
	d.Until("the oldest are found", func() bool { return m.feed.pager.Done && m.feed.page == 0 })
	if m.feed.pager.Total != 1500 || m.view.shown != 50 {
		t.Errorf("asked for %d jobs, %d are shown", m.feed.pager.Total, m.view.shown)
	}
	// What the server does not know is looked for in all jobs: it may have vanished.
	d.Send(nav.OpenAnalyses{Filter: "algorithm:vanished"})
	d.Until("all were looked at", func() bool { return m.feed.pager.Done && m.feed.page == 0 && m.feed.pager.Total == 3000 })
}

func TestASearchAmongManyJobsStopsAndGoesOn(t *testing.T) {
	site := tuitest.New(t)
	site.AddJobs(patience + 5000)
	m, d := open(t, site, 120, 25)
	d.Send(nav.OpenAnalyses{Filter: "no-such-words"})
	d.UntilShows("looking for more")
	d.UntilShows("end goes on looking")
	if m.feed.pager.Done || m.feed.pager.Offset < patience {
		t.Errorf("it stopped at %d", m.feed.pager.Offset)
	}
	d.Shows("of 25,000 jobs")
	d.Press("end")
	d.Until("all were looked at", func() bool { return m.feed.pager.Done })
	m, d = open(t, site, 120, 25)
	d.Send(nav.OpenAnalyses{Filter: "no-such-words"})
	d.UntilShows("looking for more")
	d.Press("esc")
	d.Until("esc ends it", func() bool { return m.feed.page == 0 && m.view.shown > 0 })
	if n := m.feed.pager.Offset; n >= patience {
		t.Errorf("it read on, up to %d", n)
	}
	d.Fits(120, 25)
}

func TestOlderJobsThatAreSeenAreReadAgain(t *testing.T) {
	site := tuitest.New(t)
	site.AddJobs(700)
	m, d := open(t, site, 100, 25)
	d.Send(nav.OpenAnalyses{Filter: "number<200 state:running"})
	d.Until("the oldest are found", func() bool { return m.view.shown > 20 && m.feed.page == 0 })
	first, _ := m.table.Seen()
	ended, gone := m.view.lines[first].row, m.view.lines[first+1].row
	was := m.view.shown
	site.SetJob(int64(ended.Job.ID), int64(client.Success))
	site.SetJob(int64(gone.Job.ID), -1)
	d.Send(nav.Tick{Now: time.Now().Add(serverEvery + time.Second)})
	d.Until("both are no more among the running", func() bool { return m.view.shown == was-2 })
	if ended.Job.Status != client.Success || gone.Job != nil {
		t.Error("the wrong ones have gone")
	}
}
