package embedded

import (
	"fmt"
	"strings"
	"testing"
)

// These are the requests of the Python client v2.3.4, as on the wire, where it or
// an app written for it once found this server different from the original.

// appParameters are the inputs that every app has.
var appParameters = []map[string]any{
	{"name": "cytomine_host", "type": "String", "required": true, "index": 0, "setByServer": true},
	{"name": "cytomine_id_project", "type": "Number", "required": true, "index": 100, "setByServer": true},
	{"name": "threshold", "type": "Number", "required": false, "index": 200, "defaultValue": 5},
	{"name": "images", "type": "ListDomain", "required": false, "index": 300, "defaultValue": ""},
}

func TestAnAppStartedByAPersonRuns(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Segment", appParameters...)
	s.get("/server/ping").ok()
	if me := s.get("/api/user/current.json").ok().object(); me["algo"] != false {
		t.Fatal(me)
	}
	s.get("/api/project/%d.json", s.project).ok()
	params := s.get("/api/software/%d.json", software).ok().object()["parameters"].([]any)
	if n := len(s.get("/api/software/%d/software_parameter.json?max=0&offset=0&withSetByServer=True", software).list()); n != 4 || len(params) != 2 {
		t.Fatalf("%d parameters, %d of them embedded", n, len(params))
	}
	job, keys := s.job(software)
	app := s.as(keys)
	me := app.get("/api/user/current.json").ok().object()
	if me["algo"] != true || me["job"] != float64(job) {
		t.Fatal(me)
	}
	whole := s.get("/api/job/%d.json", job).ok().object()
	update := func(change map[string]any) map[string]any {
		for k, v := range change {
			whole[k] = v
		}
		// The client leaves nulls out.
		body := map[string]any{}
		for k, v := range whole {
			if v != nil {
				body[k] = v
			}
		}
		whole = app.put(fmt.Sprintf("/api/job/%d.json", job), body).ok().object()["job"].(map[string]any)
		return whole
	}
	update(map[string]any{"status": 2})
	for i, value := range []any{0.5, nil} {
		p := map[string]any{"job": job, "softwareParameter": params[i].(map[string]any)["id"]}
		if value != nil {
			p["value"] = value
		}
		if got := app.post("/api/jobparameter.json", p).ok().object()["jobparameter"]; got == nil {
			t.Fatal("no key jobparameter")
		}
	}
	// A progress that is no whole number cannot be read, so it is the default.
	if got := update(map[string]any{"progress": 33.333333333333336, "statusComment": "Analysing"}); got["progress"] != 0.0 {
		t.Errorf("progress %v", got["progress"])
	}
	if got := update(map[string]any{"progress": 50.0, "statusComment": ""}); got["progress"] != 50.0 || got["statusComment"] != "" {
		t.Errorf("%v %q", got["progress"], got["statusComment"])
	}
	update(map[string]any{"status": 3, "statusComment": "Job successfully terminated"})
	end := s.get("/api/job/%d.json", job).ok().object()
	values := fmt.Sprint(end["jobParameters"].([]any)[0].(map[string]any)["value"], end["jobParameters"].([]any)[1].(map[string]any)["value"])
	if end["status"] != 3.0 || end["progress"] != 50.0 || values != "0.5<nil>" {
		t.Errorf("status %v, progress %v, values %s", end["status"], end["progress"], values)
	}
}

func TestAnAppStartedWithTheKeysOfItsJobRuns(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Segment", appParameters...)
	job, keys := s.job(software)
	app := s.as(keys)
	id := app.get("/api/user/current.json").id("job")
	whole := app.get("/api/job/%d.json", id).ok().object()
	whole["status"] = 4
	if got := app.put(fmt.Sprintf("/api/job/%d.json", id), whole).id("job", "status"); got != 4 || id != job {
		t.Errorf("job %d, status %d", id, got)
	}
	// A job may make a user of another job only through a new job.
	app.get("/api/job.json?project=%d&light=True&max=0&offset=0", s.project).ok()
	app.get("/api/project/%d/userjob.json?max=0&offset=0", s.project).ok()
}

// The crop URL in an answer must be signed as the client signs it: with the host
// that the client itself uses.
func TestCropURLsCanBeSigned(t *testing.T) {
	s := newSite(t)
	id := s.annotate(square)
	row := s.get("/api/annotation.json?project=%d&showMeta=True&showBasic=True", s.project).list()[0]
	url := row["cropURL"].(string)
	if row["id"] != float64(id) || !strings.HasPrefix(url, s.url+"/api/") {
		t.Fatalf("crop URL %s", url)
	}
	// dump(mask=True, alpha=True) replaces the last part.
	path := strings.TrimPrefix(strings.Replace(url, "crop.jpg", "alphamask.png", 1), s.url)
	s.send("GET", path+"?bits=8&complete=True", "application/json", nil).picture()
}

// Properties of annotations go to an address of their own, with the class name
// "annotation" in the body.
func TestPropertiesOfAnnotations(t *testing.T) {
	s := newSite(t)
	id := s.annotate(square)
	path := fmt.Sprintf("/api/annotation/%d/property", id)
	made := s.post(path+".json", map[string]any{"domainClassName": "annotation", "domainIdent": id, "key": "score", "value": 0.5}).ok().object()["property"].(map[string]any)
	if made["domainClassName"] != "be.cytomine.ontology.UserAnnotation" || made["value"] != "0.5" {
		t.Errorf("%v", made)
	}
	if n := len(s.get("%s.json?max=0&offset=0", path).list()); n != 1 {
		t.Errorf("%d properties", n)
	}
	if got := s.get("/api/annotation/%d/key/score/property.json", id).ok().object(); got["id"] != made["id"] {
		t.Errorf("by key: %v", got)
	}
	s.get("/api/annotation/%d/key/other/property.json", id).want(404)
	one := fmt.Sprintf("%s/%d.json", path, int64(made["id"].(float64)))
	made["domainClassName"], made["value"] = "annotation", "1"
	if got := s.put(one, made).ok().object()["property"].(map[string]any); got["value"] != "1" || got["domainClassName"] != "be.cytomine.ontology.UserAnnotation" {
		t.Errorf("%v", got)
	}
	s.remove("%s", one).ok()
	if n := len(s.get("%s.json", path).list()); n != 0 {
		t.Errorf("%d properties after the deletion", n)
	}
}

// An app that labels through the client's AnnotationTerm fills in both names.
func TestAJobLabelsWithTheClassOfPeople(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Segment")
	_, keys := s.job(software)
	app := s.as(keys)
	id := app.annotate(square)
	for i, body := range []map[string]any{
		{"annotation": id, "annotationIdent": id, "userannotation": id, "term": s.term, "expectedTerm": s.term, "rate": 1.0},
		{"userannotation": id, "term": s.term},
	} {
		r := app.post(fmt.Sprintf("/api/annotation/%d/term/%d.json", id, s.term), body)
		if want := []int{200, 409}[i]; r.status != want {
			t.Errorf("%v: status %d, want %d", body, r.status, want)
		}
	}
	if got := app.get("/api/annotation/%d.json", id).ok().object()["term"]; fmt.Sprint(got) != fmt.Sprintf("[%d]", s.term) {
		t.Errorf("terms %v", got)
	}
}

// The client reads bitDepth, which apps of 2019 use, and looks up metrics, which
// only one branch of the server had.
func TestSmallThingsAppsLookAt(t *testing.T) {
	s := newSite(t)
	if got := s.get("/api/imageinstance/%d.json", s.image).ok().object()["bitDepth"]; got != 8.0 {
		t.Errorf("bitDepth %v", got)
	}
	if n := len(s.get("/api/discipline/None/metric.json?max=0&offset=0").list()); n != 0 {
		t.Errorf("%d metrics", n)
	}
	if _, ok := s.get("/api/project/%d.json", s.project).ok().object()["disciplineShortName"]; !ok {
		t.Error("no disciplineShortName")
	}
	for _, path := range []string{"/api/project/1/imagegroup.json", "/api/imageinstance/1/imagesequence.json", "/api/track.json"} {
		if r := s.get("%s", path); r.status != 404 && r.status != 400 {
			t.Errorf("%s: status %d", path, r.status)
		}
	}
	storage := s.get("/api/storage.json").list()[0]
	if storage["user"] != float64(s.admin.ID) {
		t.Errorf("storage %v", storage)
	}
}
