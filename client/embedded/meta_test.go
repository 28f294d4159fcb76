package embedded

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDescriptions(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Demo")
	path := fmt.Sprintf("/api/domain/be.cytomine.processing.Software/%d/description.json", software)
	if m := s.get("%s", path).want(404).object(); m["errors"] == nil {
		t.Error(m)
	}
	body := map[string]any{"domainClassName": "be.cytomine.processing.Software", "domainIdent": software, "data": "<p>Counts nuclei</p>"}
	made := s.post(path, body).ok().object()["description"].(map[string]any)
	s.post(path, body).want(409)
	for _, p := range []string{path, strings.ReplaceAll(path, "be.cytomine.processing.Software", "be_cytomine_processing_Software")} {
		if got := s.get("%s", p).ok().object(); got["data"] != "<p>Counts nuclei</p>" || got["domainIdent"] != float64(software) || got["domainClassName"] != "be.cytomine.processing.Software" {
			t.Errorf("%v", got)
		}
	}
	made["data"] = "new"
	s.put(path, made).ok()
	if got := s.get("%s", path).ok().object()["data"]; got != "new" {
		t.Errorf("%v", got)
	}
	s.remove("%s", path).ok()
	s.get("%s", path).want(404)
	s.get("/api/domain/be.cytomine.processing.Software/4711/description.json").want(404)
	s.get("/api/domain/no.such.Thing/1/description.json").want(404)
}

func TestTags(t *testing.T) {
	s := newSite(t)
	tag := s.post("/api/tag.json", map[string]any{"name": "train"}).id("tag", "id")
	s.post("/api/tag.json", map[string]any{"name": "Train"}).want(409)
	path := fmt.Sprintf("/api/domain/be.cytomine.image.ImageInstance/%d/tag_domain_association.json", s.image)
	link := s.post(path, map[string]any{"domainClassName": "be.cytomine.image.ImageInstance", "domainIdent": s.image, "tag": tag}).id("tagdomainassociation", "id")
	s.post(path, map[string]any{"tag": tag}).want(409)
	list := s.get("%s", path).list()
	if len(list) != 1 || list[0]["tagName"] != "train" || list[0]["tag"] != float64(tag) {
		t.Errorf("%v", list)
	}
	s.annotate(square)
	if n := s.get("/api/annotation.json?project=%d&tags=%d", s.project, tag).id("size"); n != 0 {
		t.Errorf("%d annotations with the tag of an image", n)
	}
	s.remove("/api/tag_domain_association/%d.json", link).ok()
	s.post(path, map[string]any{"tag": tag}).ok()
	s.remove("/api/tag/%d.json", tag).ok()
	if n := len(s.get("%s", path).list()); n != 0 {
		t.Errorf("%d links to a tag that is gone", n)
	}
}

func TestPropertiesOfAnyObject(t *testing.T) {
	s := newSite(t)
	path := fmt.Sprintf("/api/domain/be.cytomine.project.Project/%d/property.json", s.project)
	s.post(path, []any{map[string]any{"key": "a", "value": "1"}, map[string]any{"key": "a", "value": "2"}, map[string]any{"key": "", "value": "3"}}).want(206)
	s.post(path, map[string]any{"key": "a", "value": "1"}).want(409)
	s.post(path, map[string]any{"key": "b", "value": ""}).want(400)
	if got := s.get("%s?max=1", path).ok().object(); got["size"] != 2.0 || len(got["collection"].([]any)) != 1 {
		t.Errorf("%v", got)
	}
	if got := s.get("/api/project/%d/key/a/property.json", s.project).ok().object(); got["value"] != "1" || got["domainClassName"] != "be.cytomine.project.Project" {
		t.Errorf("%v", got)
	}
	s.post(fmt.Sprintf("/api/imageinstance/%d/property.json", s.image), map[string]any{"key": "stain", "value": "HE"}).ok()
	if got := s.get("/api/imageinstance/property/key.json?idProject=%d", s.project).list(); len(got) != 1 || got[0]["key"] != "stain" {
		t.Errorf("%v", got)
	}
}

func TestAttachedFilesAndTheLog(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Demo")
	job, _ := s.job(software)
	s.get("/api/job/%d/log.json", job).want(404)
	query := fmt.Sprintf("?domainClassName=be.cytomine.processing.Job&domainIdent=%d", job)
	text := []byte("line 1\r50%\rdone\n\xff\n")
	// As the software router does: the name in the form.
	m := s.upload("/api/attachedfile.json"+query, "/tmp/x/4711.out", text, map[string]string{"filename": "log.out"}).ok().object()
	id := int64(m["id"].(float64))
	want := map[string]any{"class": "be.cytomine.meta.AttachedFile", "domainIdent": float64(job), "domainClassName": "be.cytomine.processing.Job",
		"filename": "log.out", "url": fmt.Sprintf("/api/attachedfile/%d/download", id), "updated": nil, "deleted": nil}
	for name, v := range want {
		if m[name] != v {
			t.Errorf("%s: %v, want %v", name, m[name], v)
		}
	}
	if _, ok := m["size"]; ok {
		t.Error("the original tells no size")
	}
	log := s.get("/api/job/%d/log.json", job).ok().object()
	if log["data"] != "line 1\r50%\rdone\n\ufffd\n" || log["filename"] != "log.out" {
		t.Errorf("%v", log)
	}
	r := s.get("/api/attachedfile/%d/download", id).ok()
	if !bytes.Equal(r.body, text) || r.header.Get("Content-Disposition") != "attachment; filename=log.out" {
		t.Errorf("%q %s", r.body, r.header.Get("Content-Disposition"))
	}
	// As the Python client does: everything in the query, or in the form.
	if got := s.upload("/api/attachedfile.json"+query+"&filename=renamed.txt", "./dir/a.txt", text, nil).ok().object()["filename"]; got != "renamed.txt" {
		t.Errorf("%v", got)
	}
	form := map[string]string{"domainClassName": "be.cytomine.image.ImageInstance", "domainIdent": fmt.Sprint(s.image)}
	if got := s.upload("/api/attachedfile.json", `C:\data\été 1.csv`, text, form).ok().object(); got["filename"] != "été 1.csv" || got["domainIdent"] != float64(s.image) {
		t.Errorf("%v", got)
	}
	if n := len(s.get("/api/domain/be.cytomine.processing.Job/%d/attachedfile.json", job).list()); n != 2 {
		t.Errorf("%d files of the job", n)
	}
	s.upload("/api/attachedfile.json?domainClassName=be.cytomine.processing.Job&domainIdent=4711", "a", text, nil).want(404)
	s.send("POST", "/api/attachedfile.json"+query, "multipart/form-data; boundary=x", strings.NewReader("--x--\r\n")).want(400)
	s.remove("/api/attachedfile/%d.json", id).ok()
	s.get("/api/attachedfile/%d/download", id).want(404)
	s.remove("/api/job/%d.json", job).ok()
	if left := filesIn(t, s); len(left) != 1 {
		t.Errorf("files left: %v, want only that of the image", left)
	}
}

// filesIn lists the stored files that are no images.
func filesIn(t *testing.T, s *site) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.srv.dir, "files"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestResultFilesOfAJob(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Demo")
	job, keys := s.job(software)
	app := s.as(keys)
	made := app.post("/api/jobdata.json", map[string]any{"job": job, "key": "Report", "filename": "a b.csv"}).ok().object()["jobdata"].(map[string]any)
	if size, ok := made["size"]; !ok || size != nil || made["key"] != "Report" {
		t.Errorf("%v", made)
	}
	id := int64(made["id"].(float64))
	app.get("/api/jobdata/%d/download", id).want(500) // no file yet
	if got := app.upload(fmt.Sprintf("/api/jobdata/%d/upload", id), "local.csv", []byte("1,2\n"), nil).ok().object(); got["size"] != 4.0 || got["filename"] != "a b.csv" || got["id"] != made["id"] {
		t.Errorf("%v", got)
	}
	if r := s.get("/api/jobdata/%d/download", id).ok(); string(r.body) != "1,2\n" {
		t.Errorf("%q", r.body)
	}
	// A raw body replaces it.
	if got := app.send("PUT", fmt.Sprintf("/api/jobdata/%d/upload", id), "application/octet-stream", strings.NewReader("raw")).ok().object(); got["size"] != 3.0 {
		t.Errorf("%v", got)
	}
	if r := s.get("/api/jobdata/%d/view", id).ok(); string(r.body) != "raw" || !strings.HasPrefix(r.header.Get("Content-Disposition"), "inline") {
		t.Errorf("%q %s", r.body, r.header.Get("Content-Disposition"))
	}
	made["key"] = "Table"
	delete(made, "size")
	if got := app.put(fmt.Sprintf("/api/jobdata/%d.json", id), made).ok().object()["jobdata"].(map[string]any); got["key"] != "Table" || got["size"] != 3.0 {
		t.Errorf("%v", got)
	}
	if list := s.get("/api/job/%d/jobdata.json?max=0&offset=0", job).list(); len(list) != 1 || list[0]["size"] != 3.0 {
		t.Errorf("%v", list)
	}
	app.post("/api/jobdata.json", map[string]any{"key": "x", "filename": "y"}).want(400)
	app.upload("/api/jobdata/4711/upload", "x", []byte("x"), nil).want(404)
	app.remove("/api/jobdata/%d.json", id).ok()
	if left := filesIn(t, s); len(left) != 0 {
		t.Errorf("files left: %v", left)
	}
}

func TestOntologiesAndTerms(t *testing.T) {
	s := newSite(t)
	onto := s.post("/api/ontology.json", map[string]any{"name": "stains"}).id("ontology", "id")
	s.post("/api/ontology.json", map[string]any{"name": "stains"}).want(409)
	s.post("/api/ontology.json", map[string]any{}).want(400)
	parent := s.post("/api/term.json", map[string]any{"name": "brown", "ontology": onto, "color": "#aa5500"}).id("term", "id")
	child := s.post("/api/term.json", map[string]any{"name": "dark", "ontology": onto}).id("term", "id")
	s.post("/api/term.json", map[string]any{"name": "dark", "ontology": onto}).want(409)
	s.post("/api/term.json", map[string]any{"name": "dark"}).want(400)
	s.post("/api/relation/parent/term.json", map[string]any{"term1": parent, "term2": child}).ok()
	s.get("/api/relation/parent/term1/%d/term2/%d.json", parent, child).ok()
	m := s.get("/api/ontology/%d.json", onto).ok().object()
	tree := m["children"].([]any)
	if len(tree) != 1 || len(tree[0].(map[string]any)["children"].([]any)) != 1 || m["title"] != "stains" || m["isFolder"] != true {
		t.Errorf("%v", m)
	}
	term := s.get("/api/term/%d.json", child).ok().object()
	if _, ok := term["color"]; ok || term["parent"] != float64(parent) {
		t.Errorf("%v: a term without colour shows none", term)
	}
	term["name"], term["color"] = "darker", "#000000"
	delete(term, "parent")
	if got := s.put("/api/term/1.json", term).ok().object()["term"].(map[string]any); got["name"] != "darker" || got["parent"] != float64(parent) {
		t.Errorf("%v", got)
	}
	s.remove("/api/relation/parent/term1/%d/term2/%d.json", parent, child).ok()
	if n := len(s.get("/api/project/%d/term.json", s.project).list()); n != 1 {
		t.Errorf("%d terms of the project", n)
	}
	s.get("/api/ontology/4711/term.json").want(404)
	s.get("/api/ontology/null/term.json").want(404) // a project without ontology
	if got := s.get("/api/ontology/%d/project.json", s.ontology).list(); len(got) != 1 || got[0]["name"] != "demo" {
		t.Errorf("%v", got)
	}
	s.remove("/api/ontology/%d.json", s.ontology).want(400) // in use
	s.remove("/api/ontology/%d.json", onto).ok()
	s.get("/api/term/%d.json", parent).want(404)
}
