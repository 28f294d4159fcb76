package exacttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

type api struct {
	t     *testing.T
	s     *Server
	token string
}

func newAPI(t *testing.T, opt Options) (*api, Demo) {
	s := Start(t, opt)
	d := s.AddDemo()
	return &api{t, s, s.Token("worker")}, d
}

// call returns the status, the body and what went wrong on the way.
func (a *api) call(method, path string, body any) (int, []byte, error) {
	a.t.Helper()
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, a.s.URL+path, in)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	return res.StatusCode, out, err
}

func (a *api) plugin(d Demo) int {
	return a.s.AddPlugin(Plugin{Name: "Detector", Package: "org.example.detector", Products: []int{d.Product}})
}

func TestEveryRecordingThatTheSourceNamesExists(t *testing.T) {
	all := recordings(t)
	number := regexp.MustCompile(`"(\d{3})"`)
	files, _ := os.ReadDir(".")
	named := 0
	for _, f := range files {
		if strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		src, _ := os.ReadFile(f.Name())
		for _, m := range number.FindAllStringSubmatch(string(src), -1) {
			named++
			if _, ok := all[m[1]]; !ok {
				t.Errorf("%s names recording %s, which does not exist", f.Name(), m[1])
			}
		}
	}
	if named < 80 {
		t.Errorf("%d recordings named, which is too few to be all", named)
	}
}

func TestConcurrentPatchesRevertEachOthersColumns(t *testing.T) {
	a, d := newAPI(t, Options{Race: 30 * time.Millisecond})
	job := a.s.AddJob(d.Images[0], a.plugin(d), d.Plain)
	path := fmt.Sprintf("/api/v1/processing/pluginjobs/%d/", job)
	var wg sync.WaitGroup
	for _, patch := range []map[string]any{{"attached_worker": "h_1"}, {"processing_complete": 50}} {
		wg.Go(func() {
			if code, body, err := a.call("PATCH", path, patch); code != 200 || err != nil {
				t.Errorf("PATCH: %d %s %v", code, body, err)
			}
		})
	}
	wg.Wait()
	j, _ := a.s.Job(job)
	if (j.Worker == "h_1") == (j.Complete == 50) {
		t.Errorf("both changes stayed: worker %q, complete %v", j.Worker, j.Complete)
	}
}

func TestPatchBringsBackAJobDeletedSinceItWasRead(t *testing.T) {
	a, d := newAPI(t, Options{Race: 200 * time.Millisecond})
	job := a.s.AddJob(d.Images[0], a.plugin(d), d.Plain)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _, _ = a.call("PATCH", fmt.Sprintf("/api/v1/processing/pluginjobs/%d/", job), map[string]any{"processing_complete": 1})
	}()
	time.AfterFunc(50*time.Millisecond, func() { a.s.StopJob(job) })
	<-done
	if _, ok := a.s.Job(job); !ok {
		t.Error("the job stayed deleted")
	}
}

func TestJobsAreNewestFirstAlsoAfterARestart(t *testing.T) {
	a, d := newAPI(t, Options{})
	p := a.plugin(d)
	for _, im := range d.Images {
		a.s.AddJob(im, p, d.Plain)
	}
	a.s.RestartJob(1)
	_, body, err := a.call("GET", "/api/v1/processing/pluginjobs/?fields=id", nil)
	if err != nil || !strings.Contains(string(body), `[{"id":1},{"id":3},{"id":2}]`) {
		t.Errorf("jobs %s, %v", body, err)
	}
}

func TestLostAnswerWasCarriedOut(t *testing.T) {
	a, d := newAPI(t, Options{})
	job := a.s.AddJob(d.Images[0], a.plugin(d), d.Plain)
	a.s.FaultNext(1, "PATCH", "", Fault{Lose: true})
	path := fmt.Sprintf("/api/v1/processing/pluginjobs/%d/", job)
	if code, _, err := a.call("PATCH", path, map[string]any{"attached_worker": "h_1"}); err == nil {
		t.Fatalf("an answer came: %d", code)
	}
	if j, _ := a.s.Job(job); j.Worker != "h_1" {
		t.Errorf("worker is %q", j.Worker)
	}
	if code, _, err := a.call("PATCH", path, map[string]any{"attached_worker": nil}); code != 200 || err != nil {
		t.Errorf("the next one: %d, %v", code, err)
	}
}

func TestFailedAndDroppedRequestsDoNothing(t *testing.T) {
	a, d := newAPI(t, Options{})
	job := a.s.AddJob(d.Images[0], a.plugin(d), d.Plain)
	path := fmt.Sprintf("/api/v1/processing/pluginjobs/%d/", job)
	a.s.FaultNext(1, "PATCH", "", Fault{Fail: true})
	if code, body, _ := a.call("PATCH", path, map[string]any{"attached_worker": "h_1"}); code != 500 || !bytes.Contains(body, []byte("<html")) {
		t.Errorf("%d %s", code, body)
	}
	a.s.FaultNext(1, "PATCH", "", Fault{Drop: true})
	if code, _, err := a.call("PATCH", path, map[string]any{"attached_worker": "h_1"}); err == nil {
		t.Errorf("an answer came: %d", code)
	}
	if j, _ := a.s.Job(job); j.Worker != "" {
		t.Errorf("worker is %q", j.Worker)
	}
}

func TestDownloadMayBeCutInHalf(t *testing.T) {
	a, d := newAPI(t, Options{})
	im := a.s.AddImage(d.Set, Image{Name: "big.svs", Size: 4 << 20})
	a.s.FaultNext(1, "GET", "/images/api/image/download/", Fault{Cut: 2 << 20})
	_, body, err := a.call("GET", fmt.Sprintf("/images/api/image/download/%d/", im), nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) > 2<<20 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	if _, body, err = a.call("GET", fmt.Sprintf("/images/api/image/download/%d/", im), nil); len(body) != 4<<20 || err != nil {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

func TestPageShiftsWhileItIsRead(t *testing.T) {
	a, d := newAPI(t, Options{})
	p, q := a.plugin(d), a.plugin(d)
	for _, im := range d.Images {
		a.s.AddJob(im, p, d.Plain)
	}
	a.s.FaultNext(1, "GET", "/api/v1/processing/pluginjobs/", Fault{After: func() { a.s.AddJob(d.Images[0], q, d.Plain) }})
	_, first, _ := a.call("GET", "/api/v1/processing/pluginjobs/?limit=2&offset=0&fields=id", nil)
	_, second, _ := a.call("GET", "/api/v1/processing/pluginjobs/?limit=2&offset=2&fields=id", nil)
	if !strings.Contains(string(first), `"id":2`) || !strings.Contains(string(second), `"id":2`) {
		t.Errorf("job 2 is not on both pages: %s %s", first, second)
	}
}

func TestUnorderedImagesComeInAnotherOrderEachTime(t *testing.T) {
	a, d := newAPI(t, Options{Unordered: true})
	a.s.AddImages(d.Set, 20)
	_, first, _ := a.call("GET", "/api/v1/images/images/?limit=5&fields=id", nil)
	_, second, _ := a.call("GET", "/api/v1/images/images/?limit=5&fields=id", nil)
	if bytes.Equal(first, second) {
		t.Errorf("twice %s", first)
	}
}

func TestTimesAreNaiveAndOfTheServersZone(t *testing.T) {
	zone := time.FixedZone("somewhere", 9*3600)
	a, d := newAPI(t, Options{Zone: zone, Skew: -time.Hour})
	a.s.SetNow(func() time.Time { return time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC) })
	job := a.s.AddJob(d.Images[0], a.plugin(d), d.Plain)
	_, body, _ := a.call("GET", fmt.Sprintf("/api/v1/processing/pluginjobs/%d/?fields=created_time", job), nil)
	if got := string(body); got != `{"created_time":"2026-10-25T08:30:00"}` {
		t.Errorf("created %s", got)
	}
}

func TestSiteBelowAPrefixAndBehindAProxy(t *testing.T) {
	a, d := newAPI(t, Options{Prefix: "exact", ProxyHost: "exact.example.org"})
	a.s.AddImages(d.Set, 3)
	code, body, err := a.call("GET", "/api/v1/images/images/?limit=2&fields=id", nil)
	if code != 200 || err != nil || !strings.Contains(string(body), `"next":"http://exact.example.org/exact/api/v1/`) {
		t.Errorf("%d %s %v", code, body, err)
	}
}

func TestRequestsAreRemembered(t *testing.T) {
	a, _ := newAPI(t, Options{})
	_, _, _ = a.call("GET", "/timesync/", nil)
	got := a.s.Requests()
	if i := slices.IndexFunc(got, func(r Request) bool { return r.Path == "/timesync/" && r.Status == 200 && r.Recording == "016" }); i < 0 {
		t.Errorf("requests %v", got)
	}
	if a.s.Forget(); len(a.s.Requests()) != 0 {
		t.Error("not forgotten")
	}
}

func BenchmarkListing20000Jobs(b *testing.B) {
	s := New(Options{})
	defer s.Close()
	d := s.AddDemo()
	p, q := s.AddPlugin(Plugin{Name: "P", Package: "p"}), s.AddPlugin(Plugin{Name: "Q", Package: "q"})
	for _, im := range s.AddImages(d.Set, 10000) {
		s.AddJob(im, p, d.Worker)
		s.AddJob(im, q, d.Worker)
	}
	token := s.Token("worker")
	for b.Loop() {
		for _, path := range []string{"/api/v1/processing/pluginjobs/?limit=100000000", fmt.Sprintf("/api/v1/images/images/?image_set=%d&omit=annotations&limit=100000", d.Set)} {
			req, _ := http.NewRequest("GET", s.URL+path, nil)
			req.Header.Set("Authorization", "Bearer "+token)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
	}
}
