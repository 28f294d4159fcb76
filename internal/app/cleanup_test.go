package app

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/embedded"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

// becomeMember makes the site's person one who is no manager of the project.
func (s *site) becomeMember() {
	s.t.Helper()
	account, err := s.server.AddUser(tctx, embedded.Person{Username: "mia"})
	must(s.t, err)
	must(s.t, s.server.AddMember(tctx, int64(s.project), account.ID, false))
	s.keys = client.Keys{Public: account.PublicKey, Private: account.PrivateKey}
	must(s.t, profile.Save(s.env.Paths, profile.Profile{Name: "lab", Kind: client.Cytomine, URL: s.web.URL}, s.keys))
	s.Session = s.connect("")
	if s.User.Username != "mia" || s.User.Admin {
		s.t.Fatalf("%+v", s.User)
	}
}

// ended makes a job that has succeeded and drawn n annotations and stored a file.
func (s *site) ended(a client.Algorithm, image int64, n int) Analysis {
	s.t.Helper()
	job := s.job(a, "")
	s.draw(job, image, "nucleus", n)
	s.file(job, "r.csv", []byte("x"))
	job, err := s.Server.UpdateJob(tctx, job.ID, func(c *client.JobChange) error { c.Status = client.Success; return nil })
	must(s.t, err)
	return Analysis{Job: &job}
}

func TestWhoIsNoManagerCleansUpWithTheKeysOfEachJob(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	image := s.image("a.png")
	s.becomeMember()
	all := []Analysis{s.ended(a, image, 3), s.ended(a, image, 2)}
	// Not by the bulk call:
	err := s.Server.(client.ResultDeleter).DeleteResults(tctx, all[0].JobID())
	if !errors.Is(err, client.ErrForbidden) {
		t.Fatalf("the bulk call: %v", err)
	}
	plan, err := s.PlanCleanup(tctx, all)
	must(t, err)

	// It is cut off after the second annotation, as by the end of the program.
	ctx, cancel := context.WithCancel(tctx)
	done, err := s.Clean(ctx, plan, func(now Cleaned) {
		if now.Annotations >= 2 {
			cancel()
		}
	})
	if err == nil || done.Annotations < 2 || done.Annotations == 5 || !s.HasUnfinishedCleanup() {
		t.Fatalf("%+v, %v", done, err)
	}
	next := s.connect("")
	left, err := next.UnfinishedCleanup(tctx)
	must(t, err)
	// What was on its way when it was cut off may be gone without being counted.
	if left.Annotations < 2 || left.Annotations > 5-done.Annotations || len(left.Gone) != 2 {
		t.Errorf("left to do: %+v after %+v", left, done)
	}
	rest, err := next.Clean(tctx, left, nil)
	if err != nil || rest.Annotations != left.Annotations || rest.Files != 2 || next.HasUnfinishedCleanup() {
		t.Errorf("%+v, %v", rest, err)
	}
	for _, x := range all {
		r, err := next.Results(tctx, x)
		if err != nil || r.Annotations()+len(r.Files) != 0 {
			t.Errorf("left: %+v, %v", r, err)
		}
		if _, err := next.Server.Job(tctx, x.JobID()); err != nil {
			t.Errorf("the job itself: %v", err)
		}
	}
}

func TestReviewedAnnotationsSurviveACleanUp(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	image := s.image("a.png")
	x := s.ended(a, image, 3)
	var one client.ID
	_, lister, err := s.lister(x)
	must(t, err)
	must(t, lister.Annotations(tctx, *x.Job, false, func(an client.Annotation) error { one = an.ID; return nil }))
	s.postAs(s.keys, fmt.Sprintf("/api/imageinstance/%d/review.json", image), "application/json", nil)
	s.postAs(s.keys, fmt.Sprintf("/api/annotation/%d/review.json", one), "application/json", nil)
	plan, err := s.PlanCleanup(tctx, []Analysis{x})
	must(t, err)
	done, err := s.Clean(tctx, plan, nil)
	if err != nil || done.Annotations != 2 || done.Reviewed != 1 || done.Files != 1 {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestASecondCleanUpDoesNotForgetTheFirst(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	image := s.image("a.png")
	first, second := s.ended(a, image, 1), s.ended(a, image, 1)
	must(t, s.keepCleanup([]Analysis{first}, nil))
	plan, err := s.PlanCleanup(tctx, []Analysis{second})
	must(t, err)
	if _, err := s.Clean(tctx, plan, nil); err != nil {
		t.Fatal(err)
	}
	left, err := s.UnfinishedCleanup(tctx)
	if err != nil || len(left.Gone) != 1 || left.Gone[0].JobID() != first.JobID() {
		t.Errorf("%+v, %v", left, err)
	}
}

func TestACleanUpThatHadDoneEverythingIsForgotten(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	x := s.ended(a, s.image("a.png"), 1)
	must(t, s.Server.(client.ResultDeleter).DeleteResults(tctx, x.JobID()))
	must(t, s.keepCleanup([]Analysis{x}, nil))
	left, err := s.UnfinishedCleanup(tctx)
	if err != nil || len(left.Gone) != 0 || s.HasUnfinishedCleanup() {
		t.Errorf("%+v, %v", left, err)
	}
}

func TestAJobThatOneMayNotDeleteStaysAndTheRunGoes(t *testing.T) {
	s := newSite(t)
	id, err := s.server.AddProject(tctx, embedded.NewProject{Name: "theirs", ReadOnly: true})
	must(t, err)
	s.project = client.ID(id)
	a := s.register(nuclei, "1.0")
	theirs := s.job(a, "")
	theirs, err = s.Server.UpdateJob(tctx, theirs.ID, func(c *client.JobChange) error { c.Status = client.Failed; return nil })
	must(t, err)
	s.becomeMember()
	run := s.run(a, runner.Failed, map[string]string{runner.FactJob: idText(theirs.ID)})
	d, err := s.Delete(tctx, Analysis{Run: &run, Job: &theirs})
	if err != nil || d.Job || !d.Run || !errors.Is(d.Stays, client.ErrForbidden) {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := s.Server.Job(tctx, theirs.ID); err != nil {
		t.Errorf("the job: %v", err)
	}
	if _, err := s.Delete(tctx, Analysis{Job: &theirs}); !errors.Is(err, client.ErrForbidden) {
		t.Errorf("without a run: %v", err)
	}
}

func TestAStarOnTheServerKeepsTheResults(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	x := s.ended(a, s.image("a.png"), 1)
	s.postAs(s.keys, fmt.Sprintf("/api/job/%d/favorite.json", x.JobID()), "application/json", []byte(`{"favorite": true}`))
	run := s.run(a, runner.Succeeded, map[string]string{runner.FactJob: idText(x.JobID())})
	plan, err := s.PlanCleanup(tctx, []Analysis{{Run: &run}})
	if err != nil || plan.Kept != 1 || len(plan.Gone) != 0 {
		t.Errorf("%+v, %v", plan, err)
	}
	rows, err := s.Select(tctx, Selection{Filter: "is:starred"})
	if err != nil || len(rows) != 1 || !rows[0].Mark.Favorite {
		t.Errorf("%v, %v", rows, err)
	}
	// It is the server's, and not copied here.
	marks, err := s.Mark([]Analysis{rows[0].Analysis}, func(m *Mark) { m.Note = "good" })
	must(t, err)
	x.Job.Favorite = false
	if m := marks.Of(x); m.Starred() || m.Note != "good" {
		t.Errorf("%+v", m)
	}
}
