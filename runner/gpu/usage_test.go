package gpu

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cytorun/cytorun/runner"
)

func TestUsageIsAddedUp(t *testing.T) {
	b := newBox(t, 2)
	own := t.TempDir()
	now := time.Now()
	hours := func(ago, took float64) (time.Time, time.Time) {
		start := now.Add(-time.Duration(ago * float64(time.Hour)))
		return start, start.Add(time.Duration(took * float64(time.Hour)))
	}
	var group sync.WaitGroup
	for i, r := range []Record{
		{Run: "a", Algorithm: "Nuclei", GPUs: []string{uuid(0)}},
		{Run: "b", Algorithm: "Nuclei", GPUs: []string{uuid(0), uuid(1)}},
		{Run: "c", Algorithm: "Count\x1b[31m"},
		{Run: "old", Algorithm: "Nuclei", GPUs: []string{uuid(1)}},
	} {
		r.Started, r.Ended = hours([]float64{5, 4, 3, 100}[i], []float64{1, 2, 0.5, 73}[i])
		group.Go(func() { must(t, LogUse(own, r)) })
	}
	group.Wait()
	// Another user's program, and somebody's joke.
	f, err := os.OpenFile(filepath.Join(b.leases(), UsageFile), os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	start, end := hours(2, 1)
	_, err = fmt.Fprintf(f, "not json\n{\"schema\":1,\"run\":\"d\",\"user\":\"bob\",\"algorithm\":\"Nuclei\",\"gpus\":[%q],\"started\":%q,\"ended\":%q}\n{\"schema\":1}\n",
		uuid(0), start.Format(time.RFC3339Nano), end.Format(time.RFC3339Nano))
	must(t, err)
	must(t, f.Close())

	since := now.Add(-29 * time.Hour)
	rs, err := ReadUsage(own, since)
	must(t, err)
	if len(rs) != 5 {
		t.Fatalf("%+v", rs)
	}
	me := userName(os.Getuid())
	for _, c := range []struct {
		by   []string
		want []string
	}{
		{[]string{"user"}, []string{"[" + me + "] 4 5.5h 7h", "[bob] 1 1h 1h"}},
		{[]string{"gpu"}, []string{"[" + uuid(1) + "] 2 4h 4h", "[" + uuid(0) + "] 3 4h 4h", "[none] 1 0.5h 0h"}},
		{[]string{"algorithm", "user"}, []string{"[Nuclei " + me + "] 3 5h 7h", "[Nuclei bob] 1 1h 1h", "[Count␛[31m " + me + "] 1 0.5h 0h"}},
		{nil, []string{"[] 5 6.5h 8h"}},
	} {
		rows, err := SumUsage(rs, c.by, since)
		must(t, err)
		var got []string
		for _, r := range rows {
			got = append(got, fmt.Sprintf("%v %d %vh %vh", r.Key, r.Runs, round(r.Time.Hours()), round(r.GPUTime.Hours())))
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("by %v:\ngot  %q\nwant %q", c.by, got, c.want)
		}
	}
	if _, err := SumUsage(rs, []string{"day"}, since); err == nil {
		t.Error("usage by day")
	}
	// What lay beside the leases is lost at a restart, one's own is not.
	must(t, os.Remove(filepath.Join(b.leases(), UsageFile)))
	if rs, err := ReadUsage(own, since); err != nil || len(rs) != 4 {
		t.Error(rs, err)
	}
}

func round(h float64) float64 { return float64(int(h*100+0.5)) / 100 }

func TestTheUseOfARunIsWatched(t *testing.T) {
	b := newBox(t, 2)
	file := filepath.Join(t.TempDir(), "gpu.json")
	ds := devices(2)
	ds[1].Used, ds[1].Load = 9<<30, 70
	b.devices(ds)
	w := Watched{Run: "r", GPUs: []string{uuid(1)}, File: file}
	ctx, stop := context.WithCancel(t.Context())
	done := Watch(ctx, w)
	var u runner.GPUUse
	within(t, 10*time.Second, "the first sample", func() bool {
		var ok bool
		u, ok = ReadUse(file)
		return ok
	})
	stop()
	if last := <-done; last.Samples != u.Samples || u.Samples != 1 || u.Memory != 9<<30 || u.PeakLoad != 70 || !slices.Equal(u.Touched, w.GPUs) {
		t.Errorf("%+v %+v", u, last)
	}
	// Another watcher goes on where this one ended.
	if again := loadUse(w); again.Samples != 1 || again.Memory != 9<<30 {
		t.Errorf("%+v", again)
	}
	w.GPUs = []string{uuid(0)}
	if other := loadUse(w); other.Samples != 0 {
		t.Errorf("%+v", other)
	}
}
