package cytomine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/embedded"
	"github.com/cytorun/cytorun/client/servertest"
)

// The embedded server, over real HTTP, fills in for a real one.
func TestConformance(t *testing.T) {
	servertest.Run(t, embeddedFixture)
}

func embeddedFixture(t *testing.T) servertest.Fixture {
	t.Helper()
	ctx := t.Context()
	server, err := embedded.Open(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		web.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	id := func(id int64, err error) client.ID {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return client.ID(id)
	}
	as := func(a embedded.Account, err error) (*Client, int64) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return connect(t, web.URL, client.Keys{Public: a.PublicKey, Private: a.PrivateKey}), a.ID
	}
	bob, bobID := as(server.AddUser(ctx, embedded.Person{Username: "bob"}))
	bob.pageSize = 7 // so that every list has several pages
	second := connect(t, web.URL, bob.keys)
	eve, _ := as(server.AddUser(ctx, embedded.Person{Username: "eve"}))
	ontology := id(server.AddOntology(ctx, "tissue"))
	term := id(server.AddTerm(ctx, int64(ontology), "nucleus", "#ff0000"))
	project := id(server.AddProject(ctx, embedded.NewProject{Name: "lung", Ontology: int64(ontology)}))
	other := id(server.AddProject(ctx, embedded.NewProject{Name: "Empty"}))
	for _, p := range []client.ID{project, other} {
		if err := server.AddMember(ctx, int64(p), bobID, true); err != nil {
			t.Fatal(err)
		}
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 100, 100))); err != nil {
		t.Fatal(err)
	}
	slide := id(server.AddImage(ctx, embedded.NewImage{Project: int64(project), Name: "slide.png"}, &picture))

	post := func(c *Client, path, key string, object any) client.ID {
		t.Helper()
		answer, err := c.write(t.Context(), "POST", path, object)
		if err != nil {
			t.Fatal(err)
		}
		return rowID(unwrap(answer, key)).id()
	}
	software := post(bob, "/api/software.json", "software", map[string]any{"name": "Demo", "softwareVersion": "v1.2",
		"executeCommand": "singularity run s_demo-v1.2.simg python run.py [CYTOMINE_HOST] [SIGMA] [LABEL]",
		"pullingCommand": "singularity pull --name s_demo-v1.2.simg docker://user/s_demo:v1.2"})
	// Sent in another order than the form's: the server lists them by id.
	for _, p := range []map[string]any{
		{"name": "label", "type": "String", "index": 300},
		{"name": "cytomine_host", "type": "String", "index": 100, "setByServer": true},
		{"name": "sigma", "type": "Number", "index": 200, "defaultValue": "1"},
	} {
		p["software"] = software
		post(bob, "/api/softwareparameter.json", "softwareparameter", p)
	}
	post(bob, "/api/softwareproject.json", "softwareproject", map[string]any{"software": software, "project": project})
	post(bob, fmt.Sprintf("/api/domain/%s/%d/description.json", softwareClass, software), "description",
		map[string]any{"domainClassName": softwareClass, "domainIdent": software, "data": "<p>demo</p>"})

	f := servertest.Fixture{
		Server: bob, Second: second, Stranger: eve, Nobody: connect(t, web.URL, client.Keys{Public: bob.keys.Public, Private: "wrong"}),
		Username: "bob", Project: project, OtherProject: other, Algorithm: software,
		Parameters:  []string{"cytomine_host", "sigma", "label"},
		Options:     client.OptionQuery{URI: "/api/ontology/$currentOntology$/term.json", Project: client.Project{ID: project, Ontology: ontology}},
		OptionField: "name", OptionNames: []string{"nucleus"},
	}
	for i := range 40 {
		f.OptionNames = append(f.OptionNames, fmt.Sprintf("term %d \"é\"", i))
		id(server.AddTerm(ctx, int64(ontology), f.OptionNames[i+1], "#00ff00"))
	}
	f.Changes = []string{"status", "progress", "statusComment", "updated"}
	own := func(t *testing.T, job client.Job) client.Keys {
		t.Helper()
		keys, err := bob.JobKeys(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	f.As = func(t *testing.T, keys client.Keys) client.Server { return connect(t, web.URL, keys) }
	f.Mark = func(t *testing.T, job client.ID) string {
		raw, err := bob.do(t.Context(), call{method: "GET", path: jobPath(job)})
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		mustJSON(t, string(raw), &object)
		object["rate"] = 0.75
		body, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bob.do(t.Context(), call{method: "PUT", path: jobPath(job), body: body, contentType: "application/json"}); err != nil {
			t.Fatal(err)
		}
		return "rate"
	}
	f.Annotate = func(t *testing.T, job client.Job, count int) string {
		var all []map[string]any
		for i := range count {
			square := fmt.Sprintf("POLYGON ((%d 10, %d 10, %d 20, %d 20, %d 10))", i, i+10, i+10, i, i)
			all = append(all, map[string]any{"location": square, "image": slide, "term": []client.ID{term}},
				map[string]any{"location": square, "image": slide})
		}
		if _, err := connect(t, web.URL, own(t, job)).write(t.Context(), "POST", "/api/annotation.json", all); err != nil {
			t.Fatal(err)
		}
		return "nucleus"
	}
	f.AddFile = func(t *testing.T, job client.Job, name string, data []byte) {
		app := connect(t, web.URL, own(t, job))
		file := post(app, "/api/jobdata.json", "jobdata", map[string]any{"job": job.ID, "key": "result", "filename": name})
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		part, err := w.CreateFormFile("files[]", name)
		if err != nil {
			t.Fatal(err)
		}
		part.Write(data)
		w.Close()
		if _, err := app.do(t.Context(), call{method: "POST", path: fmt.Sprintf("/api/jobdata/%d/upload", file), body: form.Bytes(), contentType: w.FormDataContentType()}); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// The log is found by others too, and there is always one.
func TestAttachedLogReplacesTheOlderOnes(t *testing.T) {
	f := embeddedFixture(t)
	c := f.Server.(*Client)
	job, err := c.CreateJob(t.Context(), client.NewJob{Project: f.Project, Algorithm: f.Algorithm})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two", "three"} {
		if err := c.AttachLog(t.Context(), job.ID, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		var seen struct{ Data, Filename string }
		if err := c.get(t.Context(), fmt.Sprintf("/api/job/%d/log.json", job.ID), &seen); err != nil || seen.Data != text {
			t.Errorf("the web interface sees %+v, %v", seen, err)
		}
		if logs, err := c.logFiles(t.Context(), job.ID); err != nil || len(logs) != 1 {
			t.Errorf("%d logs, %v", len(logs), err)
		}
	}
}

// A registration that broke off is completed by the next one.
func TestRegisterCompletesWhatIsThere(t *testing.T) {
	f := embeddedFixture(t)
	c := f.Server.(*Client)
	d := &descriptor.Descriptor{Name: "Half", CommandLine: "run [A] [B]", Description: "both", Parameters: []descriptor.Parameter{
		{ID: "a", Type: descriptor.Number, ValueKey: "[A]"}, {ID: "b", Type: descriptor.Number, ValueKey: "[B]", Description: "the second"}}}
	whole := client.NewAlgorithm{Descriptor: d, Version: "1", Container: "u/half:1", Project: f.Project}
	begun := *d
	begun.Parameters, begun.Description = d.Parameters[:1], ""
	first, err := c.Register(t.Context(), client.NewAlgorithm{Descriptor: &begun, Version: "1", Container: "u/half:1"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Register(t.Context(), whole)
	if err != nil || got.ID != first.ID || len(got.Parameters) != 2 || got.Parameters[1].Description != "the second" || got.Description != "both" {
		t.Errorf("%+v, %v", got, err)
	}
}
