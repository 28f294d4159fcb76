package exact

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact/exacttest"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/servertest"
)

// site is a fake server with what the tests need.
type site struct {
	*exacttest.Server
	demo   exacttest.Demo
	plugin client.ID
	set    client.ID
}

// newSite starts a fake server with the demo and a plugin for its image set.
func newSite(t testing.TB, opts exacttest.Options) site {
	t.Helper()
	s := site{Server: exacttest.Start(t, opts)}
	s.demo = s.AddDemo()
	s.set = client.ID(s.demo.Set)
	s.plugin = client.ID(s.AddPlugin(exacttest.Plugin{Name: "Detector", Package: "org.example.detector", Products: []int{s.demo.Product}}))
	return s
}

// as connects as a user of the site with a token of theirs.
func (s site) as(t testing.TB, user string, opts Options) *Client {
	t.Helper()
	return s.with(t, user, profile.TokenKeys(s.Token(user)), opts)
}

func (s site) with(t testing.TB, user string, keys client.Keys, opts Options) *Client {
	t.Helper()
	if opts.RetryWait == 0 {
		opts.RetryWait = time.Millisecond
	}
	c, err := New(profile.Profile{Kind: client.Exact, URL: s.URL, User: user}, keys, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newImage adds an image to a set.
func (s site) newImage(set client.ID) client.ID {
	return client.ID(s.AddImage(int(set), exacttest.Image{Name: "new.png", Width: 1000, Height: 800, Content: []byte("picture")}))
}

func (s site) newJob(t testing.TB, c *Client) PluginJob {
	t.Helper()
	j, err := c.CreatePluginJob(t.Context(), s.newImage(s.set), s.plugin)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// The fake, over real HTTP, fills in for a real server.
func TestConformance(t *testing.T) {
	servertest.Run(t, func(t *testing.T) servertest.Fixture { return conformance(t, exacttest.Options{Unordered: true}) })
}

// A site below a path, behind a proxy that forgets the port, in another zone.
func TestConformanceBehindAProxy(t *testing.T) {
	zone := time.FixedZone("", -(9*3600 + 1800))
	servertest.Run(t, func(t *testing.T) servertest.Fixture {
		return conformance(t, exacttest.Options{Prefix: "/deep/exact", ProxyHost: "elsewhere.example", Zone: zone, Skew: 40 * time.Second})
	})
}

func conformance(t *testing.T, opts exacttest.Options) servertest.Fixture {
	s := newSite(t, opts)
	rights := append(slices.Clone(exacttest.WorkerPermissions), "processing.delete_pluginjob", "annotations.delete_annotation")
	s.AddUser(exacttest.User{Name: "bob", Password: "b", Teams: []int{s.demo.Team}, Permissions: rights})
	other := client.ID(s.AddImageSet("Empty", s.demo.Team))
	s.AddImages(s.demo.Set, 20)
	bob := s.as(t, "bob", Options{})
	bob.pageSize = 7 // so that every list has several pages
	f := servertest.Fixture{
		Server: bob, Second: s.as(t, "bob", Options{}), Stranger: s.as(t, "outsider", Options{}),
		Nobody:   s.with(t, "bob", profile.TokenKeys("pat_no.thing"), Options{}),
		Username: "bob", Project: s.set, OtherProject: other, Algorithm: s.plugin,
		Hidden:  client.ErrNotFound,
		Changes: []string{"processing_complete", "attached_worker", "updated_time"},
		Lacks: []client.Ability{client.KeepsParameters, client.KeepsComments, client.KeepsLogs, client.KeepsFiles, client.KeepsMetrics, client.KeepsHistory,
			client.HasOntologies, client.RegistersByFile, client.RunsOnProjects, client.KeysPerJob, client.KnowsContainers, client.DatesProjects,
			client.DrawsUntyped, client.ErasesOneByOne},
		Options: client.OptionQuery{URI: "image", Project: client.Project{ID: s.set}}, OptionField: "name",
		OptionNames: []string{"field_a.png", "field_b.png", "slide_c.tif"},
		JobImage:    func(_ *testing.T, project client.ID) client.ID { return s.newImage(project) },
	}
	for i := range 20 {
		f.OptionNames = append(f.OptionNames, fmt.Sprintf("field_%05d.png", i+1))
	}
	f.Mark = func(t *testing.T, id client.ID) string {
		eta := time.Now().Add(time.Hour)
		if _, err := f.Second.(*Client).PatchPluginJob(t.Context(), id, JobPatch{ETA: &eta}); err != nil {
			t.Fatal(err)
		}
		return "eta_time"
	}
	f.Annotate = func(t *testing.T, job client.Job, count int) string {
		draw(t, bob, job, client.ID(s.demo.Types[0]), count)
		return "Mitotic figure"
	}
	return f
}

// draw writes count boxes as a job does: the first half into its result, the others
// as ordinary annotations.
func draw(t testing.TB, c *Client, job client.Job, kind client.ID, count int) {
	t.Helper()
	ctx := t.Context()
	result, _, err := c.CreateResult(ctx, NewResult{Job: job.ID, Image: job.Image, Plugin: job.Algorithm})
	if err != nil {
		t.Fatal(err)
	}
	entry, err := c.CreateEntry(ctx, NewEntry{Result: result.ID, Name: "cells"})
	if err != nil {
		t.Fatal(err)
	}
	meta, err := json.Marshal(map[string]any{"cytorun": Mark{Job: job.ID, Run: "r1"}})
	if err != nil {
		t.Fatal(err)
	}
	var shapes []ResultAnnotation
	var ordinary []Annotation
	for i := range count {
		v := Vector{float64(i), 10, float64(i + 10), 20}
		id := c.UUID("r1", fmt.Sprint(job.ID), fmt.Sprint(i))
		if i < count/2 {
			shapes = append(shapes, ResultAnnotation{Image: job.Image, Type: kind, Vector: v, Score: 0.5, UUID: id, Meta: meta})
		} else {
			ordinary = append(ordinary, Annotation{Image: job.Image, Type: kind, Vector: v, UUID: id, Meta: meta})
		}
	}
	if err := c.UploadResultAnnotations(ctx, entry.ID, shapes, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.UpsertAnnotations(ctx, ordinary, nil); err != nil {
		t.Fatal(err)
	}
}

// paths are the requests that the site saw, without their queries.
func (s site) paths() (all []string) {
	for _, r := range s.Requests() {
		all = append(all, r.Method+" "+r.Path)
	}
	return all
}

func containsAll(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%v does not say %q", err, w)
		}
	}
}
