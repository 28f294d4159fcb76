package exact

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/client/profile"
)

var lost = exacttest.Fault{Lose: true}

func TestASecondJobOfAPluginOnAnImageNamesTheFirst(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	first := s.newJob(t, c)
	_, err := c.CreatePluginJob(t.Context(), first.Image, first.Plugin)
	var duplicate *DuplicateError
	if !errors.As(err, &duplicate) || duplicate.Job.ID != first.ID || !errors.Is(err, client.ErrConflict) {
		t.Fatalf("%v", err)
	}
	containsAll(t, err, fmt.Sprintf("job %d", first.ID), "restart or delete")
	if client.Transient(err) {
		t.Error("trying again would help")
	}
	for _, ids := range [][2]client.ID{{1 << 40, s.plugin}, {first.Image, 1 << 40}} {
		if _, err := c.CreatePluginJob(t.Context(), ids[0], ids[1]); !errors.Is(err, client.ErrNotFound) {
			t.Errorf("image %d, plugin %d: %v", ids[0], ids[1], err)
		}
	}
}

func TestAJobWhoseAnswerIsLostIsFound(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	image := s.newImage(s.set)
	s.FaultNext(1, "POST", newJobPath, lost)
	made, err := c.CreatePluginJob(t.Context(), image, s.plugin)
	if err != nil || made.Image != image || made.Plugin != s.plugin {
		t.Fatalf("%+v, %v", made, err)
	}
	jobs, err := c.PluginJobs(t.Context(), JobQuery{Image: image})
	if err != nil || len(jobs) != 1 || jobs[0].ID != made.ID {
		t.Errorf("%+v, %v", jobs, err)
	}
	s.FaultNext(1, "POST", newJobPath, exacttest.Fault{Drop: true})
	if _, err := c.CreatePluginJob(t.Context(), s.newImage(s.set), s.plugin); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("a request that never arrived: %v", err)
	}
}

// Whatever answer is lost, whatever is written again: each annotation is there once.
func TestLostAnswersMakeNoSecondAnnotations(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	made := s.newJob(t, c)
	job := client.Job{ID: made.ID, Image: made.Image, Algorithm: made.Plugin}
	var n atomic.Int64
	s.Fault(func(r exacttest.Request) exacttest.Fault {
		if r.Method == "POST" && r.Path != newJobPath && n.Add(1)%7 == 3 && n.Load() < 25 {
			return lost
		}
		return exacttest.Fault{}
	})
	for range 2 { // a run that is reported twice
		for attempt := 0; ; attempt++ {
			if err := func() (err error) {
				ctx := t.Context()
				result, _, err := c.CreateResult(ctx, NewResult{Job: job.ID, Image: job.Image, Plugin: job.Algorithm})
				if err != nil {
					return err
				}
				entry, err := c.CreateEntry(ctx, NewEntry{Result: result.ID, Name: "cells"})
				if err != nil {
					return err
				}
				var shapes []ResultAnnotation
				var ordinary []Annotation
				meta, err := json.Marshal(map[string]any{"cytorun": Mark{Job: job.ID}, "sigma": 2})
				if err != nil {
					return err
				}
				for i := range 40 {
					v, id := Vector{float64(i), 0, float64(i + 5), 5}, c.UUID(fmt.Sprint(i))
					shapes = append(shapes, ResultAnnotation{Image: job.Image, Type: client.ID(s.demo.Types[0]), Vector: v, UUID: id, Score: 1})
					ordinary = append(ordinary, Annotation{Image: job.Image, Type: client.ID(s.demo.Types[0]), Vector: v, UUID: c.UUID("ordinary", fmt.Sprint(i)), Meta: meta})
				}
				last := 0
				progress := func(done int) {
					if last = done; done > 40 {
						t.Errorf("%d of 40 are done", done)
					}
				}
				if err := c.UploadResultAnnotations(ctx, entry.ID, shapes, progress); err != nil {
					return err
				}
				if last != 40 {
					t.Errorf("at the end %d of 40 are done", last)
				}
				return c.UpsertAnnotations(ctx, ordinary, nil)
			}(); err == nil {
				break
			} else if attempt == 5 {
				t.Fatal(err)
			}
		}
	}
	counts, err := c.AnnotationCounts(t.Context(), job)
	if err != nil || len(counts) != 1 || counts[0].Count != 80 || counts[0].Area != 80*25 || counts[0].Unit != "px²" {
		t.Errorf("%+v, %v", counts, err)
	}
	results, err := c.Results(t.Context(), ResultQuery{Job: job.ID})
	if err != nil || len(results) != 1 {
		t.Errorf("%+v, %v", results, err)
	}
}

func TestAnAnnotationThatTheServerRefusesEndsTheUpload(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	ctx := t.Context()
	job := s.newJob(t, c)
	bad := []Annotation{{Image: job.Image, Type: 1 << 40, Vector: Vector{1, 1, 2, 2}, UUID: c.UUID("x")}}
	err := c.UpsertAnnotations(ctx, bad, nil)
	if !errors.Is(err, client.ErrInvalid) {
		t.Errorf("a type that does not exist: %v", err)
	}
	for name, a := range map[string]Annotation{"no uuid": {Image: job.Image, Type: 1}, "no image": {Type: 1, UUID: c.UUID("y")}} {
		if _, err := c.UpsertAnnotation(ctx, a); !errors.Is(err, client.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.UploadResultAnnotations(ctx, 1, []ResultAnnotation{{}}, nil); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("without a UUID: %v", err)
	}
	plain := s.as(t, "plain", Options{})
	good := Annotation{Image: job.Image, Type: client.ID(s.demo.Types[0]), Vector: Vector{1, 1, 2, 2}, UUID: c.UUID("z")}
	if err := plain.UpsertAnnotations(ctx, []Annotation{good}, nil); !errors.Is(err, client.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
}

// A worker that read the row before our update writes it back as it was.
func TestAnUpdateThatAnotherWriteUndidIsMadeAgain(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c, other := s.as(t, "worker", Options{}), s.as(t, "worker", Options{})
	job := s.newJob(t, c)
	undone := false
	s.Fault(func(r exacttest.Request) exacttest.Fault {
		if r.Method != "PATCH" || undone {
			return exacttest.Fault{}
		}
		undone = true
		return exacttest.Fault{After: func() {
			zero, none := 0.0, ""
			if _, err := other.PatchPluginJob(t.Context(), job.ID, JobPatch{Progress: &zero, Worker: &none}); err != nil {
				t.Error(err)
			}
		}}
	})
	got, err := c.UpdateJob(t.Context(), job.ID, func(j *client.JobChange) error { j.Status, j.Progress = client.Running, 30; return nil })
	if err != nil || got.Status != client.Running || got.Progress != 30 {
		t.Fatalf("%+v, %v", got, err)
	}
	now, err := c.PluginJob(t.Context(), job.ID)
	if err != nil || now.Progress != 30 || now.Worker == "" {
		t.Errorf("%+v, %v", now, err)
	}
}

// A patch names only its columns: what another program wrote stays.
func TestAPatchLeavesTheOtherColumns(t *testing.T) {
	s := newSite(t, exacttest.Options{Skew: -2 * time.Minute})
	c := s.as(t, "worker", Options{})
	ctx := t.Context()
	job := s.newJob(t, c)
	worker, message, detail, progress := "host_AbC123", "Error: no memory", "a long story", 42.5
	if _, err := c.PatchPluginJob(ctx, job.ID, JobPatch{Worker: &worker, ErrorDetail: &detail}); err != nil {
		t.Fatal(err)
	}
	got, err := c.PatchPluginJob(ctx, job.ID, JobPatch{Progress: &progress, ErrorMessage: &message})
	if err != nil || got.Worker != worker || got.ErrorDetail != detail || got.Progress != progress || got.ErrorMessage != message || got.State() != StateFailed {
		t.Fatalf("%+v, %v", got, err)
	}
	if off := got.Updated.Sub(s.Now()); off.Abs() > 5*time.Second || got.Updated.Before(got.Created.Add(-time.Second)) {
		t.Errorf("updated %v by the server's clock, created %v", off, got.Created)
	}
	again, err := c.RestartPluginJob(ctx, job.ID)
	if err != nil || again.State() != StatePending || again.ErrorDetail != "" || !again.Claimable() {
		t.Errorf("%+v, %v", again, err)
	}
	long := strings.Repeat("é", 300)
	if got, err := c.PatchPluginJob(ctx, job.ID, JobPatch{Worker: &long}); err != nil || got.Worker != long[:400] {
		t.Errorf("%d bytes of a worker's name, %v", len(got.Worker), err)
	}
	if _, err := c.PatchPluginJob(ctx, 1<<40, JobPatch{Progress: &progress}); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("no such job: %v", err)
	}
}

func TestRestartAndDeleteTakeTheResultAlong(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	s.AddUser(exacttest.User{Name: "root", Super: true, Teams: []int{s.demo.Team}})
	c := s.as(t, "root", Options{})
	ctx := t.Context()
	made := s.newJob(t, c)
	job := client.Job{ID: made.ID, Image: made.Image, Algorithm: made.Plugin}
	for _, take := range []func() error{
		func() error { _, err := c.RestartPluginJob(ctx, job.ID); return err },
		func() error { return c.DeleteJob(ctx, job.ID) },
	} {
		draw(t, c, job, client.ID(s.demo.Types[0]), 6)
		if err := take(); err != nil {
			t.Fatal(err)
		}
		if results, err := c.Results(ctx, ResultQuery{Image: job.Image}); err != nil || len(results) != 0 {
			t.Errorf("left behind: %+v, %v", results, err)
		}
	}
	if _, err := c.PluginJob(ctx, job.ID); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("the job is still there: %v", err)
	}
	left := 0
	if err := c.EachAnnotation(ctx, AnnotationQuery{Image: job.Image}, func(Annotation) error { left++; return nil }); err != nil || left != 0 {
		t.Errorf("%d annotations left, %v", left, err)
	}
}

// Bodies of errors are web pages with DEBUG=1 and plain text without.
func TestServerFailuresAreSaidWithoutTheirPage(t *testing.T) {
	for _, debug := range []bool{true, false} {
		s := newSite(t, exacttest.Options{Debug: debug})
		c := s.as(t, "worker", Options{})
		var w map[string]any
		err := c.get(t.Context(), with(jobsPath, "image_id", "abc"), &w)
		var answer *client.HTTPError
		if !errors.As(err, &answer) || answer.Status != 500 || !client.Transient(err) {
			t.Fatalf("%v", err)
		}
		if strings.ContainsAny(err.Error(), "<>\n") || !strings.Contains(err.Error(), "administrator") {
			t.Errorf("%q", err)
		}
	}
}

// What would be redirected is not, and a session that the server sets is not used.
func TestNothingIsRedirectedAndNoCookieKept(t *testing.T) {
	var seen []string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.URL.Path)
		if r.Header.Get("Cookie") != "" {
			t.Errorf("a cookie was sent: %v", r.Header)
		}
		http.SetCookie(w, &http.Cookie{Name: "sessionid", Value: "s", Path: "/"})
		if strings.HasSuffix(r.URL.Path, "/") && r.Method == "POST" {
			http.Redirect(w, r, "/elsewhere/", http.StatusMovedPermanently)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"count":0,"next":"http://evil.example/","previous":null,"results":[]}`)
	}))
	t.Cleanup(web.Close)
	c, err := New(profile.Profile{URL: web.URL}, client.Keys{Public: "ann", Private: "secret"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := c.Plugins(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.MintToken(t.Context(), "x", time.Time{}); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("a redirected POST: %v", err)
	}
	if want := []string{"GET " + pluginsPath, "GET " + pluginsPath, "POST " + tokensPath}; !slices.Equal(seen, want) {
		t.Errorf("%v, want %v", seen, want)
	}
	for _, r := range seen {
		if !strings.HasSuffix(r, "/") {
			t.Errorf("%s has no slash at its end", r)
		}
	}
}

func TestASiteThatMovedSaysWhere(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://safe.example"+r.URL.Path, http.StatusMovedPermanently)
	}))
	t.Cleanup(web.Close)
	c, err := New(profile.Profile{URL: web.URL}, client.Keys{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Probe(t.Context())
	var moved *client.MovedError
	if !errors.As(err, &moved) || moved.To != "https://safe.example" {
		t.Errorf("%v", err)
	}
}

func Test403IsAboutCredentialsOrRights(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	ctx := t.Context()
	good := s.as(t, "worker", Options{})
	token, err := good.MintToken(ctx, "short", time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string]client.Keys{
		"none":     {},
		"wrong":    {Public: "worker", Private: "x"},
		"format":   profile.TokenKeys("pat_x.y"),
		"expired":  profile.TokenKeys(token.Secret),
		"old":      {Public: oldToken, Private: strings.Repeat("a", 40)},
		"password": {Public: "worker", Private: "pat_no.password"},
	} {
		c := s.with(t, "worker", keys, Options{})
		if _, err := c.Plugins(ctx); !errors.Is(err, client.ErrUnauthorised) {
			t.Errorf("%s: %v", name, err)
		}
	}
	job := s.newJob(t, good)
	one := 1.0
	_, err = s.as(t, "plain", Options{}).PatchPluginJob(ctx, job.ID, JobPatch{Progress: &one})
	if !errors.Is(err, client.ErrForbidden) || errors.Is(err, client.ErrUnauthorised) {
		t.Errorf("without the right: %v", err)
	}
	basic := s.with(t, "", client.Keys{Public: "worker", Private: "worker-pass-1"}, Options{})
	if user, err := basic.CurrentUser(ctx); err != nil || user.Username != "worker" || user.ID != client.ID(s.demo.Worker) {
		t.Errorf("%+v, %v", user, err)
	}
}

func TestTokensAreMintedListedAndRevoked(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	ctx := t.Context()
	expires := time.Now().Add(24 * time.Hour).Truncate(time.Second)
	made, err := c.MintToken(ctx, "job 5", expires)
	if err != nil || made.Name != "job 5" || !isToken(made.Secret) || !made.Expires.Equal(expires) {
		t.Fatalf("%+v, %v", made, err)
	}
	tokens, err := c.Tokens(ctx)
	if err != nil || !slices.ContainsFunc(tokens, func(k Token) bool { return k.ID == made.ID && k.Secret == "" && !k.Revoked }) {
		t.Errorf("%+v, %v", tokens, err)
	}
	if err := c.RevokeToken(ctx, made.ID); err != nil {
		t.Fatal(err)
	}
	used := s.with(t, "worker", profile.TokenKeys(made.Secret), Options{})
	if _, err := used.Plugins(ctx); !errors.Is(err, client.ErrUnauthorised) {
		t.Errorf("a revoked token: %v", err)
	}
}

// A worker may write annotations, but not delete them for good.
func TestAWorkerTakesBackItsAnnotationsWithoutTheRightToDelete(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	ctx := t.Context()
	made := s.newJob(t, c)
	job := client.Job{ID: made.ID, Image: made.Image, Algorithm: made.Plugin}
	draw(t, c, job, client.ID(s.demo.Types[0]), 10)
	if err := c.DeleteResults(ctx, job.ID); err != nil {
		t.Fatal(err)
	}
	if counts, err := c.AnnotationCounts(ctx, job); err != nil || len(counts) != 0 {
		t.Errorf("%+v, %v", counts, err)
	}
	if _, err := c.PluginJob(ctx, job.ID); err != nil {
		t.Errorf("the job is gone with its results: %v", err)
	}
}

// What a program wrote into both stores is one object.
func TestWhatIsInBothStoresCountsOnce(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	ctx := t.Context()
	made := s.newJob(t, c)
	job := client.Job{ID: made.ID, Image: made.Image, Algorithm: made.Plugin}
	draw(t, c, job, client.ID(s.demo.Types[0]), 10) // five in each
	meta, err := json.Marshal(map[string]any{"cytorun": Mark{Job: job.ID}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 { // those of the result as ordinary ones too
		a := Annotation{Image: job.Image, Type: client.ID(s.demo.Types[0]), Vector: Vector{1, 1, 5, 5}, UUID: c.UUID("r1", fmt.Sprint(job.ID), fmt.Sprint(i)), Meta: meta}
		if _, err := c.UpsertAnnotation(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	images, err := c.AnnotationsByImage(ctx, job)
	if err != nil || images[job.Image] != 10 {
		t.Errorf("%v, %v", images, err)
	}
}
