package gpu

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	// Another user's file, in which somebody joked and named himself anna.
	path := filepath.Join(b.leases(), usageName(65534))
	start, end := hours(2, 1)
	must(t, os.WriteFile(path, fmt.Appendf(nil, "not json\n{\"schema\":1,\"run\":\"d\",\"user\":\"anna\",\"algorithm\":\"Nuclei\",\"gpus\":[%q],\"started\":%q,\"ended\":%q}\n{\"schema\":1}\n",
		uuid(0), start.Format(time.RFC3339Nano), end.Format(time.RFC3339Nano)), 0o644))
	if err := os.Chown(path, 65534, -1); err != nil {
		t.Skipf("cannot make a file of another user: %v", err)
	}
	other := userName(65534)

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
		{[]string{"user"}, []string{"[" + me + "] 4 5.5h 7h", "[" + other + "] 1 1h 1h"}},
		{[]string{"gpu"}, []string{"[" + uuid(1) + "] 2 4h 4h", "[" + uuid(0) + "] 3 4h 4h", "[none] 1 0.5h 0h"}},
		{[]string{"algorithm", "user"}, []string{"[Nuclei " + me + "] 3 5h 7h", "[Nuclei " + other + "] 1 1h 1h", "[Count␛[31m " + me + "] 1 0.5h 0h"}},
		{nil, []string{"[] 5 6.5h 8h"}},
	} {
		var got []string
		for _, r := range SumUsage(rs, c.by, since) {
			got = append(got, fmt.Sprintf("%v %d %vh %vh", r.Key, r.Runs, round(r.Time.Hours()), round(r.GPUTime.Hours())))
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("by %v:\ngot  %q\nwant %q", c.by, got, c.want)
		}
	}
	// What lay beside the leases is lost at a restart. One's own comes back for
	// all to read.
	must(t, os.RemoveAll(b.leases()))
	if rs, err := ReadUsage(own, since); err != nil || len(rs) != 4 {
		t.Error(rs, err)
	}
	must(t, RestoreUse(own))
	must(t, RestoreUse(own))
	if rs, err := ReadUsage(t.TempDir(), since); err != nil || len(rs) != 4 {
		t.Error(rs, err)
	}
	if st, err := os.Stat(filepath.Join(b.leases(), usageName(os.Getuid()))); err != nil || st.Mode().Perm() != 0o644 {
		t.Error(st, err)
	}
}

func TestUseOfAnotherBoxStaysThere(t *testing.T) {
	newBox(t, 1)
	own := t.TempDir() // in a home that several boxes share
	now := time.Now()
	must(t, os.WriteFile(filepath.Join(own, UsageFile), fmt.Appendf(nil, "{\"schema\":1,\"run\":\"a\",\"host\":\"elsewhere\",\"started\":%q,\"ended\":%q}\n",
		now.Format(time.RFC3339), now.Format(time.RFC3339)), 0o600))
	must(t, LogUse(own, Record{Run: "b", Started: now, Ended: now}))
	for _, dir := range []string{own, t.TempDir()} {
		if rs, err := ReadUsage(dir, now.Add(-time.Hour)); err != nil || len(rs) != 1 || rs[0].Run != "b" {
			t.Error(rs, err)
		}
	}
}

func TestUseOfTwoUsersIsSeenByBoth(t *testing.T) {
	b := newBox(t, 1)
	root := b.argv
	b.asNobody()
	theirs := filepath.Join(b.dir, "theirs")
	must(t, os.Mkdir(theirs, 0o777))
	must(t, os.Chmod(theirs, 0o777))
	b.start(child{Run: "theirs", Request: Request{Count: 1}, Umask: 0o077, Own: theirs})
	b.await("theirs", "ends", "")
	b.argv = root
	b.start(child{Run: "ours", Request: Request{Count: 1}, Umask: 0o077, Own: t.TempDir()})
	b.await("ours", "ends", "")
	rs, err := ReadUsage(t.TempDir(), time.Now().Add(-time.Hour))
	must(t, err)
	var who []string
	for _, r := range rs {
		who = append(who, r.Run+" of "+r.User)
	}
	slices.Sort(who)
	if !slices.Equal(who, []string{"ours of root", "theirs of nobody"}) {
		t.Errorf("%q", who)
	}
	for _, uid := range []int{0, 65534} {
		st, err := os.Stat(filepath.Join(b.leases(), usageName(uid)))
		if err != nil || st.Mode().Perm() != 0o644 || owner(st) != uid {
			t.Errorf("%v %v", st, err)
		}
	}
}

func TestUseIsNotWrittenThroughFilesOfOthers(t *testing.T) {
	for name, make := range map[string]func(path, victim string) error{
		"a symbolic link": func(p, v string) error { return os.Symlink(v, p) },
		"a second name":   func(p, v string) error { return os.Link(v, p) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, 1)
			victim := filepath.Join(b.leases(), "victim")
			must(t, os.WriteFile(victim, []byte("keep me"), 0o666))
			must(t, make(filepath.Join(b.leases(), usageName(os.Getuid())), victim))
			own := t.TempDir()
			err := LogUse(own, Record{Run: "a", Started: time.Now(), Ended: time.Now()})
			if err == nil || !strings.Contains(err.Error(), "remove it") {
				t.Error(err)
			}
			if got, _ := os.ReadFile(victim); string(got) != "keep me" {
				t.Errorf("%q", got)
			}
			// One's own is noted all the same, and what cannot be read is said.
			if rs, err := ReadUsage(own, time.Time{}); len(rs) != 1 || err == nil {
				t.Error(rs, err)
			}
		})
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
