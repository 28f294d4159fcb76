package embedded

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every address that reads answers an administrator, and a guest of nothing with
// 200, 403 or 404, never with a page of error.
func TestEveryReadingAddressAnswers(t *testing.T) {
	s := newSite(t)
	guest, err := s.srv.AddUser(context.Background(), Person{Username: "guest", Guest: true})
	if err != nil {
		t.Fatal(err)
	}
	software, params := s.software("Demo", map[string]any{"name": "a", "type": "String"})
	s.post("/api/softwareproject.json", map[string]any{"software": software, "project": s.project}).ok()
	job, keys := s.job(software)
	parameter := s.post("/api/jobparameter.json", map[string]any{"job": job, "softwareParameter": params[0], "value": "x"}).id("jobparameter", "id")
	annotation := s.annotate(square, s.term)
	image := s.get("/api/imageinstance/%d.json", s.image).ok().object()
	base := int64(image["baseImage"].(float64))
	for _, path := range []string{
		"/", "/status.json", "/server/ping.json", "/session/admin/open.json",
		"/api/user.json", "/api/user.json?sort=username&order=asc&max=1", "/api/user.json?publicKey=" + s.admin.PublicKey, "/api/user/current.json",
		fmt.Sprintf("/api/user/%d.json", keys.ID), fmt.Sprintf("/api/user/%d/keys.json", s.admin.ID), fmt.Sprintf("/api/userJob/%d.json", keys.ID),
		fmt.Sprintf("/api/user/%d/project.json", s.admin.ID), fmt.Sprintf("/api/user/%d/project/light.json", s.admin.ID), fmt.Sprintf("/api/user/%d/imageinstance.json", s.admin.ID),
		"/api/project.json", fmt.Sprintf("/api/project/%d.json", s.project), fmt.Sprintf("/api/project/%d/user.json", s.project), fmt.Sprintf("/api/project/%d/userlayer.json", s.project),
		fmt.Sprintf("/api/project/%d/admin.json", s.project), fmt.Sprintf("/api/project/%d/creator.json", s.project), fmt.Sprintf("/api/project/%d/users/representative.json", s.project),
		fmt.Sprintf("/api/project/%d/userjob.json?image=%d", s.project, s.image), fmt.Sprintf("/api/project/%d/term.json", s.project), fmt.Sprintf("/api/project/%d/software.json", s.project),
		fmt.Sprintf("/api/project/%d/softwareproject.json", s.project), fmt.Sprintf("/api/project/%d/bounds/job.json", s.project), fmt.Sprintf("/api/project/%d/image.json", s.project),
		fmt.Sprintf("/api/project/%d/imageinstance.json?tree=true", s.project), fmt.Sprintf("/api/project/%d/property.json", s.project),
		"/api/ontology.json", fmt.Sprintf("/api/ontology/%d.json", s.ontology), fmt.Sprintf("/api/ontology/%d/user.json", s.ontology), fmt.Sprintf("/api/ontology/%d/project.json", s.ontology),
		"/api/term.json", fmt.Sprintf("/api/term/%d.json", s.term), "/api/discipline.json", "/api/tag.json", "/api/tag_domain_association.json",
		"/api/software.json", fmt.Sprintf("/api/software/%d.json", software), fmt.Sprintf("/api/software/%d/project.json", software), fmt.Sprintf("/api/software/%d/parameter.json", software),
		"/api/softwareparameter.json", fmt.Sprintf("/api/softwareparameter/%d.json", params[0]), fmt.Sprintf("/api/software_parameter/%d/software_parameter_constraint.json", params[0]),
		"/api/parameter_constraint.json", "/api/softwareproject.json", "/api/processing_server.json", "/api/software_user_repository.json", "/api/metric.json", "/api/imaging_server.json",
		"/api/job.json", fmt.Sprintf("/api/job/%d.json", job), fmt.Sprintf("/api/job/%d/parameter.json", job), fmt.Sprintf("/api/job/%d/jobdata.json", job), fmt.Sprintf("/api/job/%d/alldata.json", job),
		fmt.Sprintf("/api/jobparameter/%d.json", parameter), fmt.Sprintf("/api/domain/be.cytomine.processing.Job/%d/attachedfile.json", job),
		fmt.Sprintf("/api/domain/be.cytomine.processing.JobParameter/%d/property.json", parameter), fmt.Sprintf("/api/domain/be.cytomine.security.User/%d/property.json", s.admin.ID),
		"/api/abstractimage.json", fmt.Sprintf("/api/abstractimage/%d.json", base), fmt.Sprintf("/api/abstractimage/%d/abstractslice.json", base), fmt.Sprintf("/api/abstractimage/%d/download", base),
		fmt.Sprintf("/api/imageinstance/%d.json", s.image), fmt.Sprintf("/api/imageinstance/%d/window_url-0-0-5-5.png", s.image), fmt.Sprintf("/api/annotation/property/key.json?idProject=%d&idImage=%d", s.project, s.image),
		fmt.Sprintf("/api/annotation/%d.json", annotation), fmt.Sprintf("/api/userannotation.json?project=%d", s.project), fmt.Sprintf("/api/annotation/%d/cropMin.jpg", annotation),
		"/api/storage.json", "/api/uploadedfile.json", "/api/signature.json",
	} {
		if r := s.get("%s", path); r.status != 200 {
			t.Errorf("%s: status %d\n%s", path, r.status, r.body)
		}
		if r := s.as(guest).get("%s", path); r.status >= 500 {
			t.Errorf("%s for a guest: status %d\n%s", path, r.status, r.body)
		}
	}
	if got := s.get("/api/imageinstance/%d/window_url-0-0-5-5.png", s.image).ok().object()["url"].(string); !strings.HasSuffix(got, "/window-0-0-5-5.png") {
		t.Errorf("window URL %s", got)
	}
}

func TestPeopleAreAddedByTheAPI(t *testing.T) {
	s := newSite(t)
	body := map[string]any{"username": "eve", "firstname": "Eve", "lastname": "E", "email": "eve@example.org", "password": "secret123"}
	id := s.post("/api/user.json", body).id("user", "id")
	s.post("/api/user.json", map[string]any{"username": "EVE", "firstname": "Eve", "lastname": "E", "email": "x"}).want(409)
	s.post("/api/user.json", map[string]any{"username": "x"}).want(400)
	rec, err := userClass.get(s.srv.store.read(context.Background()), id)
	if err != nil {
		t.Fatal(err)
	}
	eve := s.as(Account{ID: id, PublicKey: rec.text("publicKey"), PrivateKey: rec.text("privateKey")})
	if n := len(eve.get("/api/storage.json").list()); n != 1 {
		t.Errorf("%d storages", n)
	}
	project := eve.post("/api/project.json", map[string]any{"name": "hers"}).id("project", "id")
	eve.get("/api/project/%d.json", project).ok()
	m := s.get("/api/user/%d.json", id).ok().object()
	m["lastname"] = "New"
	if got := s.put("/api/user/1.json", m).ok().object()["user"].(map[string]any)["lastname"]; got != "New" {
		t.Errorf("%v", got)
	}
	eve.get("/api/user/current.json").ok() // keys are kept
	if n := s.get("/api/user.json").id("size"); n != 2 {
		t.Errorf("%d people", n)
	}
	s.remove("/api/user/%d.json", id).ok()
	eve.get("/api/user/current.json").want(401)
}

func TestHalfReceivedFilesAreSweptAtTheStart(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "files", "incoming-123")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	srv, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
}
