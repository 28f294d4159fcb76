package embedded

import "testing"

// One run of an app as the Python client makes it.
func TestAnAppRunsWithTheKeysOfAPerson(t *testing.T) {
	s := newSite(t)
	software, params := s.software("Segment", map[string]any{"name": "threshold", "type": "Number", "required": true, "index": 100, "defaultValue": "5"})
	if got := s.get("/server/ping").ok().object(); got["alive"] != true {
		t.Fatal(got)
	}
	s.get("/api/user/current.json").ok()
	s.get("/api/project/%d.json", s.project).ok()
	s.get("/api/software/%d.json", software).ok()
	if n := len(s.get("/api/software/%d/software_parameter.json?max=0&offset=0&withSetByServer=True", software).list()); n != 1 {
		t.Fatalf("%d parameters", n)
	}
	job, keys := s.job(software)
	app := s.as(keys)
	me := app.get("/api/user/current.json").ok().object()
	if me["algo"] != true || int64(me["job"].(float64)) != job {
		t.Fatal(me)
	}
	whole := app.get("/api/job/%d.json", job).ok().object()
	whole["status"], whole["progress"] = 2, 50
	app.put("/api/job/1.json", whole).ok()
	app.post("/api/jobparameter.json", map[string]any{"job": job, "softwareParameter": params[0], "value": 7}).ok()
	app.post("/api/jobparameter.json", map[string]any{"job": job, "softwareParameter": params[0], "value": 7}).want(409)
	a := app.post("/api/annotation.json", map[string]any{"location": "POLYGON ((10 10, 20 10, 20 20, 10 20, 10 10))", "image": s.image, "term": []int64{s.term}})
	if got := a.ok().object()["annotation"].(map[string]any)["class"]; got != "be.cytomine.ontology.AlgoAnnotation" {
		t.Fatal(got)
	}
	list := app.get("/api/annotation.json?project=%d&user=%d&showWKT=true&showTerm=true&showGIS=true", s.project, keys.ID).list()
	if len(list) != 1 || list[0]["location"] != "POLYGON ((10 10, 20 10, 20 20, 10 20, 10 10))" || list[0]["area"] != 100.0 {
		t.Fatal(list)
	}
	app.get("/api/algoannotation/%d/crop.png", a.id("annotation", "id")).ok()
	app.get("/api/imageinstance/%d/thumb.jpg?maxSize=50", s.image).ok()
}
