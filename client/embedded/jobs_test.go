package embedded

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

func TestANewJobIsDescribedInFull(t *testing.T) {
	s := newSite(t)
	software, params := s.software("Demo", map[string]any{"name": "sigma", "type": "Number"})
	r := s.post("/api/job.json", map[string]any{"project": s.project, "software": software,
		"params": []any{map[string]any{"softwareParameter": params[0], "value": "1.5"}}}).ok()
	m := r.object()
	job := m["job"].(map[string]any)
	for name, want := range map[string]any{"class": "be.cytomine.processing.Job", "algoType": "job", "status": 0.0, "progress": 0.0, "number": 1.0,
		"statusComment": nil, "processingServer": nil, "softwareName": "Demo (v1)", "name": "Demo (v1) : 1", "rate": -1.0, "dataDeleted": false,
		"username": "admin", "updated": nil, "deleted": nil, "favorite": nil, "project": float64(s.project), "software": float64(software)} {
		if got, ok := job[name]; !ok || got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if list, ok := job["jobParameters"].([]any); !ok || len(list) != 0 {
		t.Errorf("jobParameters %v: the answer is made before they are stored", job["jobParameters"])
	}
	if _, err := strconv.ParseInt(job["created"].(string), 10, 64); err != nil {
		t.Errorf("created %v is no string of milliseconds", job["created"])
	}
	callback := m["callback"].(map[string]any)
	if callback["method"] != "be.cytomine.AddJobCommand" || callback["jobID"] != fmt.Sprint(r.id("job", "id")) || m["printMessage"] != true || m["command"] == nil || m["message"] == "" {
		t.Errorf("envelope %v", m)
	}
	whole := s.get("/api/job/%d.json", r.id("job", "id")).ok().object()
	p := whole["jobParameters"].([]any)[0].(map[string]any)
	if p["value"] != "1.5" || p["name"] != "sigma" || p["humanName"] != "sigma" || p["softwareParameter"] != float64(params[0]) {
		t.Errorf("parameter %v", p)
	}
	if again := s.post("/api/job.json", map[string]any{"project": s.project, "software": software}).id("job", "number"); again != 2 {
		t.Errorf("number %d, want the next", again)
	}
}

func TestAPutReplacesTheWholeJobNamedInTheBody(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Demo")
	job := s.post("/api/job.json", map[string]any{"project": s.project, "software": software, "status": 2, "progress": 40,
		"statusComment": "half", "rate": 0.5, "created": 1581503400000}).id("job", "id")
	s.post(fmt.Sprintf("/api/job/%d/favorite.json", job), map[string]any{"favorite": true}).ok()
	before := s.get("/api/job/%d.json", job).ok().object()
	if before["created"] != "1581503400000" || before["favorite"] != true {
		t.Fatal(before)
	}
	// The id in the address is not looked at; what is absent goes back to its default.
	after := s.put("/api/job/4711.json", map[string]any{"id": job, "project": s.project, "software": software, "status": "3"}).ok().object()["job"].(map[string]any)
	for name, want := range map[string]any{"status": 3.0, "progress": 0.0, "statusComment": nil, "rate": -1.0, "dataDeleted": false, "number": 1.0,
		"favorite": true, "userJob": before["userJob"], "username": "admin"} {
		if after[name] != want {
			t.Errorf("%s: %v, want %v", name, after[name], want)
		}
	}
	if after["created"] == before["created"] || after["updated"] == nil {
		t.Errorf("created %v, updated %v: both must be now", after["created"], after["updated"])
	}
	before["status"] = 4
	kept := s.put(fmt.Sprintf("/api/job/%d.json", job), before).ok().object()["job"].(map[string]any)
	if kept["created"] != "1581503400000" || kept["progress"] != 40.0 || kept["statusComment"] != "half" {
		t.Errorf("a whole object was not kept: %v", kept)
	}
	if got := kept["updated"]; got == nil || got == before["updated"] {
		t.Errorf("updated %v", got)
	}
}

func TestJobsThatAreRefused(t *testing.T) {
	s := newSite(t)
	software, params := s.software("Demo", map[string]any{"name": "a", "type": "String"})
	job, keys := s.job(software)
	ok := func(change map[string]any) map[string]any {
		m := map[string]any{"id": job, "project": s.project, "software": software}
		for k, v := range change {
			m[k] = v
		}
		return m
	}
	long := strings.Repeat("é", 255)
	for _, c := range []struct {
		name, method, path string
		body               any
		want               int
	}{
		{"no project", "POST", "/api/job.json", map[string]any{"software": software}, 400},
		{"no software", "POST", "/api/job.json", map[string]any{"project": s.project}, 400},
		{"unknown software", "POST", "/api/job.json", map[string]any{"project": s.project, "software": 4711}, 400},
		{"unknown project", "POST", "/api/job.json", map[string]any{"project": 4711, "software": software}, 404},
		{"broken JSON", "POST", "/api/job.json", `{"project":`, 400},
		{"parameter of nothing", "POST", "/api/job.json", map[string]any{"project": s.project, "software": software, "params": []any{map[string]any{"softwareParameter": 4711, "value": "x"}}}, 400},
		{"same parameter twice", "POST", "/api/job.json", map[string]any{"project": s.project, "software": software, "params": []any{
			map[string]any{"softwareParameter": params[0], "value": "x"}, map[string]any{"softwareParameter": params[0], "value": "y"}}}, 409},
		{"no id", "PUT", fmt.Sprintf("/api/job/%d.json", job), map[string]any{"project": s.project, "software": software}, 404},
		{"unknown id", "PUT", fmt.Sprintf("/api/job/%d.json", job), map[string]any{"id": 4711, "project": s.project, "software": software}, 404},
		{"put without project", "PUT", "/api/job/1.json", map[string]any{"id": job, "software": software}, 400},
		{"status 9", "PUT", "/api/job/1.json", ok(map[string]any{"status": 9}), 400},
		{"status -1", "PUT", "/api/job/1.json", ok(map[string]any{"status": -1}), 400},
		{"progress 101", "PUT", "/api/job/1.json", ok(map[string]any{"progress": 101}), 400},
		{"comment of 256", "PUT", "/api/job/1.json", ok(map[string]any{"statusComment": long + "x"}), 400},
		{"comment of 255", "PUT", "/api/job/1.json", ok(map[string]any{"statusComment": long}), 200},
		{"status 8", "PUT", "/api/job/1.json", ok(map[string]any{"status": 8}), 200},
		{"value of 5001", "POST", "/api/jobparameter.json", map[string]any{"job": job, "softwareParameter": params[0], "value": strings.Repeat("1", 5001)}, 400},
		{"value of 5000", "POST", "/api/jobparameter.json", map[string]any{"job": job, "softwareParameter": params[0], "value": strings.Repeat("1", 5000)}, 200},
		{"value again", "POST", "/api/jobparameter.json", map[string]any{"job": job, "softwareParameter": params[0], "value": "1"}, 409},
		{"value without job", "POST", "/api/jobparameter.json", map[string]any{"softwareParameter": params[0], "value": "1"}, 400},
		{"parameters by a job's user", "JOB", "/api/job.json", map[string]any{"project": s.project, "software": software, "params": []any{map[string]any{"softwareParameter": params[0], "value": "x"}}}, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			who, method := s, c.method
			if method == "JOB" {
				who, method = s.as(keys), "POST"
			}
			r := who.sendJSON(method, c.path, c.body)
			r.t = t
			r.want(c.want)
		})
	}
	if jobs := s.get("/api/job.json").list(); len(jobs) != 1 {
		t.Errorf("%d jobs: a refused one was kept", len(jobs))
	}
}

func TestErrorsHaveTheirThreeShapes(t *testing.T) {
	s := newSite(t)
	if m := s.post("/api/job.json", map[string]any{"software": 1}).want(400).object(); m["success"] != false || m["errors"] != "software not set" {
		t.Errorf("string shape: %v", m)
	}
	m := s.get("/api/job/9.json").want(404).object()
	if e, _ := m["errors"].(map[string]any); e["message"] != "Job not found with id : 9" {
		t.Errorf("object shape: %v", m)
	}
	r := s.get("/api/softwareparameter/9.json").want(500)
	if !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") || !strings.Contains(string(r.body), "<html>") {
		t.Errorf("page shape: %s", r.body)
	}
	if r := s.get("/api/nothing/like/this.json").want(404); !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		t.Errorf("unknown address: %s", r.body)
	}
}

func TestWhichSecretsAreMasked(t *testing.T) {
	s := newSite(t)
	names := []string{"cytomine_private_key", "privateKey", "PublicKey", "cytomine_host"}
	var defs []map[string]any
	for _, n := range names {
		defs = append(defs, map[string]any{"name": n, "type": "String"})
	}
	software, params := s.software("Demo", defs...)
	job, _ := s.job(software)
	for _, p := range params {
		s.post("/api/jobparameter.json", map[string]any{"job": job, "softwareParameter": p, "value": "secret"}).ok()
	}
	shown := func(list any) string {
		var out []string
		for _, p := range list.([]any) {
			v := "secret"
			if p.(map[string]any)["value"] != "secret" {
				v = "*"
			}
			out = append(out, v)
		}
		return strings.Join(out, " ")
	}
	if got := shown(s.get("/api/job/%d.json", job).ok().object()["jobParameters"]); got != "* * * secret" {
		t.Errorf("one job: %s", got)
	}
	if got := shown(s.get("/api/job.json").list()[0]["jobParameters"]); got != "secret * secret secret" {
		t.Errorf("job list: %s", got)
	}
	if got := shown(s.get("/api/job/%d/parameter.json", job).ok().object()["collection"]); got != "secret secret secret secret" {
		t.Errorf("parameter list: %s", got)
	}
	if got := s.get("/api/job.json?withJobParameters=false").list()[0]["jobParameters"].([]any); len(got) != 0 {
		t.Errorf("without parameters: %v", got)
	}
}

func TestNothingIsEverExecuted(t *testing.T) {
	s := newSite(t)
	software, params := s.software("Demo", map[string]any{"name": "cytomine_host", "type": "String", "setByServer": true})
	job, _ := s.job(software)
	if r := s.post(fmt.Sprintf("/api/job/%d/execute.json", job), "{}").want(500); !strings.Contains(string(r.body), "no software router") {
		t.Errorf("execute: %s", r.body)
	}
	s.get("/api/job/%d/kill.json", job).want(500)
	if st := s.get("/api/job/%d.json", job).id("status"); st != 0 {
		t.Errorf("status %d", st)
	}
	// The server fills its own parameters at the first execution, so they show a second.
	s.post("/api/jobparameter.json", map[string]any{"job": job, "softwareParameter": params[0], "value": "http://x"}).ok()
	s.get("/api/job/%d/execute.json", job).want(409)
	// With a processing server a kill is a message without an echo.
	server := s.get("/api/processing_server.json").list()[0]["id"]
	s.put("/api/job/1.json", map[string]any{"id": job, "project": s.project, "software": software, "processingServer": server, "status": 2}).ok()
	if st := s.post(fmt.Sprintf("/api/job/%d/kill.json", job), "{}").id("status"); st != 2 {
		t.Errorf("status after kill %d", st)
	}
}

func TestParametersAsAnArray(t *testing.T) {
	s := newSite(t)
	software, params := s.software("Demo", map[string]any{"name": "a", "type": "String"}, map[string]any{"name": "b", "type": "String"})
	job, _ := s.job(software)
	value := func(p int64, v any) map[string]any {
		return map[string]any{"job": job, "softwareParameter": p, "value": v}
	}
	if m := s.post("/api/jobparameter.json", []any{value(params[0], true)}).ok().object(); !strings.HasPrefix(m["message"].(string), "jobparameters ") {
		t.Errorf("message %v", m)
	}
	m := s.post("/api/jobparameter.json", []any{value(params[0], 1), value(params[1], 2.50)}).want(206).object()
	if errs := m["errors"].([]any); m["success"] != false || len(errs) != 1 || errs[0].(map[string]any)["message"] == "" || errs[0].(map[string]any)["data"] == nil {
		t.Errorf("partial: %v", m)
	}
	s.post("/api/jobparameter.json", []any{value(params[0], 1)}).want(400)
	s.post("/api/jobparameter.json", []any{}).ok()
	var got []string
	for _, p := range s.get("/api/job/%d/parameter.json", job).list() {
		got = append(got, p["value"].(string))
	}
	if fmt.Sprint(got) != "[true 2.5]" {
		t.Errorf("values %v", got)
	}
}

func TestACopyOfAJobHasItsParameters(t *testing.T) {
	s := newSite(t)
	software, params := s.software("Demo", map[string]any{"name": "a", "type": "String"}, map[string]any{"name": "cytomine_host", "type": "String", "setByServer": true})
	job, _ := s.job(software)
	for _, p := range params {
		s.post("/api/jobparameter.json", map[string]any{"job": job, "softwareParameter": p, "value": "v"}).ok()
	}
	twin := s.post(fmt.Sprintf("/api/job/%d/copy.json", job), "{}").id("job", "id")
	list := s.get("/api/job/%d/parameter.json", twin).list()
	if twin == job || len(list) != 1 || list[0]["name"] != "a" || list[0]["value"] != "v" {
		t.Errorf("copy %d: %v", twin, list)
	}
}

func TestUserJobsOfAProject(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Demo")
	made := s.post("/api/userJob.json", map[string]any{"software": software, "project": s.project}).ok().object()["userJob"].(map[string]any)
	if made["algo"] != true || made["publicKey"] == "" || made["job"] == nil {
		t.Fatal(made)
	}
	s.post("/api/userJob.json", map[string]any{}).want(400)
	rows := s.get("/api/project/%d/userjob.json", s.project).list()
	if len(rows) != 1 || rows[0]["id"] != made["id"] || rows[0]["idJob"] != made["job"] || rows[0]["softwareName"] != "Demo (v1)" {
		t.Fatal(rows)
	}
	if _, number := rows[0]["created"].(float64); !number {
		t.Errorf("created %T, want a number here", rows[0]["created"])
	}
	if tree := s.get("/api/project/%d/userjob.json?tree=true", s.project).ok().object(); len(tree["children"].([]any)) != 1 {
		t.Error(tree)
	}
	bounds := s.get("/api/project/%d/bounds/job.json", s.project).ok().object()
	if n := len(bounds["software"].(map[string]any)["list"].([]any)); n != 1 {
		t.Errorf("bounds: %v", bounds)
	}
}

func TestDeletingAJobTakesEverythingItMade(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Demo")
	job, keys := s.job(software)
	app := s.as(keys)
	app.post("/api/annotation.json", map[string]any{"location": "POINT (1 1)", "image": s.image, "term": []int64{s.term}}).ok()
	data := app.post("/api/jobdata.json", map[string]any{"job": job, "key": "k", "filename": "a.csv"}).id("jobdata", "id")
	app.upload(fmt.Sprintf("/api/jobdata/%d/upload", data), "a.csv", []byte("1,2"), nil).ok()
	counts := s.get("/api/job/%d/alldata.json", job).ok().object()
	if counts["annotations"] != 1.0 || counts["annotationsTerm"] != 1.0 || counts["jobDatas"] != 1.0 || counts["reviewed"] != 0.0 {
		t.Fatal(counts)
	}
	s.remove("/api/job/%d/alldata.json", job).ok()
	if m := s.get("/api/job/%d.json", job).ok().object(); m["dataDeleted"] != true {
		t.Error("the job does not say that its data is gone")
	}
	if counts := s.get("/api/job/%d/alldata.json", job).ok().object(); counts["annotations"] != 0.0 || counts["jobDatas"] != 0.0 {
		t.Error(counts)
	}
	if n := s.get("/api/imageinstance/%d.json", s.image).id("numberOfJobAnnotations"); n != 0 {
		t.Errorf("the image still counts %d annotations", n)
	}
	s.remove("/api/job/%d.json", job).ok()
	s.get("/api/job/%d.json", job).want(404)
	app.get("/api/user/current.json").want(401)
}

func TestHundredThousandJobsPageQuickly(t *testing.T) {
	if testing.Short() {
		t.Skip("stores many jobs")
	}
	s := newSite(t)
	manyJobs(t, s, 5000) // the plan is the same for 100,000, which the benchmark has
	rows, err := s.srv.store.read(context.Background()).query("EXPLAIN QUERY PLAN SELECT t.id FROM job t WHERE t.project IN (?) AND t.status IN (3,4) ORDER BY t.created DESC, t.id DESC LIMIT 20", s.project)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var a, b, c any
		var d string
		if err := rows.Scan(&a, &b, &c, &d); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, d)
	}
	if got := strings.Join(plan, "; "); !strings.Contains(got, "COVERING INDEX job_project") || strings.Contains(got, "TEMP B-TREE") {
		t.Errorf("plan: %s", got)
	}
}
