package exact

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact/exacttest"
)

// Jobs come and go while their list is read.
func TestListsThatShiftAreReadWhole(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	s.AddUser(exacttest.User{Name: "root", Super: true, Teams: []int{s.demo.Team}})
	c := s.as(t, "root", Options{})
	c.pageSize = 5
	var ids []client.ID
	for _, image := range s.AddImages(s.demo.Set, 30) {
		ids = append(ids, client.ID(s.AddJob(image, int(s.plugin), s.demo.Worker)))
	}
	slices.Reverse(ids) // newest first
	other := s.as(t, "root", Options{})
	for name, shift := range map[string]func(page int){
		"new ones":     func(int) { s.newJob(t, other) },
		"deleted ones": func(page int) { gone(t, other, ids[page]) },
		"both":         func(page int) { s.newJob(t, other); gone(t, other, ids[20+page]) },
	} {
		page := 0
		remove := s.Fault(func(r exacttest.Request) exacttest.Fault {
			if r.Path != jobsPath || r.Method != "GET" || page >= 4 || strings.Contains(r.Query, "filter_ids") {
				return exacttest.Fault{}
			}
			page++
			return exacttest.Fault{After: func() { shift(page) }}
		})
		before := map[client.ID]bool{}
		all, err := other.PluginJobs(t.Context(), JobQuery{IDs: ids})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range all {
			before[j.ID] = true
		}
		jobs, err := c.PluginJobs(t.Context(), JobQuery{})
		remove()
		if err != nil {
			t.Fatal(err)
		}
		seen := map[client.ID]bool{}
		for _, j := range jobs {
			if seen[j.ID] {
				t.Errorf("%s: job %d twice", name, j.ID)
			}
			seen[j.ID] = true
		}
		after, err := other.PluginJobs(t.Context(), JobQuery{IDs: ids})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range after {
			if before[j.ID] && !seen[j.ID] {
				t.Errorf("%s: job %d was there all the time and is missing", name, j.ID)
			}
		}
	}
}

func gone(t *testing.T, c *Client, id client.ID) {
	t.Helper()
	if err := c.DeletePluginJob(t.Context(), id); err != nil && !errors.Is(err, client.ErrNotFound) {
		t.Error(err)
	}
}

func TestAPageThatBreaksOffIsReadAgain(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	s.AddImages(s.demo.Set, 200)
	s.FaultNext(2, "GET", imagesPath, exacttest.Fault{Cut: 5000})
	seen := map[client.ID]bool{}
	err := c.EachImage(t.Context(), s.set, func(i Image) error {
		if seen[i.ID] {
			t.Errorf("image %d twice", i.ID)
		}
		seen[i.ID] = true
		return nil
	})
	if err != nil || len(seen) != 203 {
		t.Errorf("%d images, %v", len(seen), err)
	}
	s.FaultNext(10, "GET", imagesPath, exacttest.Fault{Cut: 5000})
	if err := c.EachImage(t.Context(), s.set, func(Image) error { return nil }); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("always cut: %v", err)
	}
}

// Who looks at the jobs of an image set again and again costs one request each time.
func TestLookingAtJobsAgainIsOneRequest(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	now := time.Now()
	c := s.as(t, "worker", Options{Now: func() time.Time { return now }})
	s.newJob(t, c)
	look := func(want, requests int) {
		t.Helper()
		s.Forget()
		page, err := c.Jobs(t.Context(), client.JobFilter{Project: s.set})
		if err != nil || page.Total != want || len(s.Requests()) != requests {
			t.Errorf("%d jobs, %v, after %v", page.Total, err, s.paths())
		}
		for _, j := range page.Jobs {
			if j.AlgorithmName == "" || j.Username != "worker" || j.Project != s.set {
				t.Errorf("%+v", j)
			}
		}
	}
	look(1, 4)
	look(1, 1)
	s.newJob(t, c) // on an image that is new
	look(2, 2)
	other := s.AddPlugin(exacttest.Plugin{Name: "Other", Products: []int{s.demo.Product}})
	s.AddJob(s.demo.Images[0], other, s.demo.Worker)
	look(3, 2)
	look(3, 1)
	now = now.Add(2 * knownFor)
	look(3, 4)
}

// A list that takes a server long is not asked for again at once, unless we wrote.
func TestAListThatTakesLongServesForAWhile(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	now := time.Now()
	c := s.as(t, "worker", Options{Now: func() time.Time { return now }})
	job := s.newJob(t, c)
	s.Fault(func(r exacttest.Request) exacttest.Fault {
		if r.Method != "GET" || r.Path != jobsPath {
			return exacttest.Fault{}
		}
		return exacttest.Fault{After: func() { now = now.Add(2 * time.Second) }}
	})
	reads := func(want int) {
		t.Helper()
		s.Forget()
		page, err := c.Jobs(t.Context(), client.JobFilter{Project: s.set})
		n := len(slices.DeleteFunc(s.paths(), func(p string) bool { return p != "GET "+jobsPath }))
		if err != nil || page.Total != 1 || n != want {
			t.Errorf("%d jobs, %v, read %d times, want %d", page.Total, err, n, want)
		}
	}
	reads(1)
	reads(0)
	now = now.Add(11 * time.Second)
	reads(1)
	half := 50.0
	if _, err := c.PatchPluginJob(t.Context(), job.ID, JobPatch{Progress: &half}); err != nil {
		t.Fatal(err)
	}
	reads(1)
}
