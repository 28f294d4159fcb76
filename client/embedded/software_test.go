package embedded

import (
	"fmt"
	"testing"
)

func TestDefaultsOfAParameter(t *testing.T) {
	s := newSite(t)
	software, params := s.software("Demo", map[string]any{"name": "cytomine_id_images", "type": "ListDomain", "index": 600, "defaultValue": "", "uri": "/api/x.json"},
		map[string]any{"name": "sigma", "type": "Number", "defaultParamValue": 1.5},
		map[string]any{"name": "flag", "type": "Boolean", "defaultValue": false, "required": "true", "humanName": "Flag", "valueKey": "@FLAG", "commandLineFlag": "--flag"})
	get := func(id int64) map[string]any { return s.get("/api/software_parameter/%d.json", id).ok().object() }
	for name, want := range map[string]any{"defaultParamValue": nil, "required": false, "index": 600.0, "setByServer": false, "serverParameter": false,
		"humanName": "cytomine_id_images", "valueKey": "[CYTOMINE_ID_IMAGES]", "commandLineFlag": nil, "uri": "/api/x.json", "uriPrintAttribut": nil, "software": float64(software)} {
		if got, ok := get(params[0])[name]; !ok || got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if p := get(params[1]); p["defaultParamValue"] != "1.5" || p["index"] != 600.0 {
		t.Errorf("second: %v (an index that is not given repeats the highest)", p)
	}
	if p := get(params[2]); p["defaultParamValue"] != "false" || p["required"] != true || p["humanName"] != "Flag" || p["valueKey"] != "@FLAG" {
		t.Errorf("third: %v", p)
	}
	s.post("/api/softwareparameter.json", map[string]any{"software": software, "name": "sigma", "type": "Number"}).want(409)
	s.post("/api/softwareparameter.json", map[string]any{"software": software, "name": "x", "type": "Float"}).want(400)
	s.post("/api/softwareparameter.json", map[string]any{"software": software, "name": "", "type": "Number"}).want(400)
	s.post("/api/softwareparameter.json", map[string]any{"name": "x", "type": "Number"}).want(400)
}

func TestParametersSetByTheServerAreShownOnRequest(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Demo", map[string]any{"name": "b", "type": "String", "index": 200}, map[string]any{"name": "a", "type": "String", "index": 100},
		map[string]any{"name": "cytomine_host", "type": "String", "setByServer": true, "index": 0})
	names := func(list []any) (out []string) {
		for _, p := range list {
			out = append(out, p.(map[string]any)["name"].(string))
		}
		return out
	}
	for path, want := range map[string]string{
		"/api/software/%d/parameter.json":                               "[b a]",
		"/api/software/%d/software_parameter.json?withSetByServer=True": "[b a cytomine_host]",
		"/api/software/%d/parameter.json?withSetByServer=false":         "[b a]",
	} {
		if got := names(s.get(path, software).ok().object()["collection"].([]any)); fmt.Sprint(got) != want {
			t.Errorf("%s: %v, want %s", path, got, want)
		}
	}
	if got := names(s.get("/api/software/%d.json", software).ok().object()["parameters"].([]any)); fmt.Sprint(got) != "[a b]" {
		t.Errorf("embedded: %v, want them by index", got)
	}
	s.get("/api/software/4711/parameter.json").want(404)
}

func TestANewVersionTakesThePlaceOfTheOlder(t *testing.T) {
	s := newSite(t)
	add := func(version any) int64 {
		return s.post("/api/software.json", map[string]any{"name": "App", "softwareVersion": version, "executeCommand": "run", "pullingCommand": "pull"}).id("software", "id")
	}
	v19 := add("1.9")
	s.post("/api/softwareproject.json", map[string]any{"software": v19, "project": s.project}).ok()
	s.post("/api/softwareproject.json", map[string]any{"software": v19, "project": s.project}).want(409)
	v20 := add("2.0")
	v110 := add("1.10") // older than 1.9 as text
	linked := s.get("/api/project/%d/software.json", s.project).list()
	if len(linked) != 3 || s.get("/api/project/%d/softwareproject.json", s.project).id("size") != 3 {
		t.Fatalf("%d versions are linked", len(linked))
	}
	for id, want := range map[int64]any{v19: true, v20: nil, v110: nil} {
		m := s.get("/api/software/%d.json", id).ok().object()
		if m["deprecated"] != want || m["executable"] != true {
			t.Errorf("%v: deprecated %v, want %v", m["fullName"], m["deprecated"], want)
		}
	}
	s.post("/api/software.json", map[string]any{"name": "App", "softwareVersion": "2.0"}).want(409)
	plain := s.post("/api/software.json", map[string]any{"name": "App"})
	if plain.ok().object()["software"].(map[string]any)["fullName"] != "App" {
		t.Errorf("%s", plain.body)
	}
	s.post("/api/software.json", map[string]any{"name": "App", "softwareVersion": ""}).want(409)
	if got := s.get("/api/software.json?executableOnly=true").id("size"); got != 3 {
		t.Errorf("%d executable", got)
	}
	if got := s.get("/api/software.json?sort=softwareVersion&order=asc&max=2").list(); got[1]["softwareVersion"] != "1.10" {
		t.Errorf("sorted: %v", got)
	}
	link := s.get("/api/project/%d/softwareproject.json", s.project).list()[0]["id"].(float64)
	s.remove("/api/softwareproject/%d.json", int64(link)).ok()
	s.remove("/api/software/%d.json", v20).ok()
	s.get("/api/software/%d.json", v20).want(404)
}

func TestJobsAreCountedByState(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Demo")
	for _, status := range []int{0, 3, 3, 4, 8} {
		s.post("/api/job.json", map[string]any{"project": s.project, "software": software, "status": status}).ok()
	}
	m := s.get("/api/software/%d.json", software).ok().object()
	stats := s.get("/api/project/%d/software/%d/stats.json", s.project, software).ok().object()
	for name, want := range map[string]float64{"numberOfJob": 5, "numberOfNotLaunch": 1, "numberOfSuccess": 2, "numberOfFailed": 1, "numberOfRunning": 0} {
		if m[name] != want || stats[name] != want {
			t.Errorf("%s: %v and %v, want %v", name, m[name], stats[name], want)
		}
	}
	if m["numberOfKilled"] != 1.0 {
		t.Errorf("numberOfKilled: %v", m["numberOfKilled"])
	}
}
