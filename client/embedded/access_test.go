package embedded

import (
	"context"
	"fmt"
	"testing"
)

// Who may do what, by role in the project and by mode of the project.
func TestRightsInProjects(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	person := func(name string) *site {
		a, err := s.srv.AddUser(ctx, Person{Username: name})
		if err != nil {
			t.Fatal(err)
		}
		return s.as(a)
	}
	stranger, member, manager := person("stranger"), person("member"), person("manager")
	software, params := s.software("Demo", map[string]any{"name": "a", "type": "String"})
	modes := map[string]int64{}
	images := map[string]int64{}
	for name, p := range map[string]NewProject{"classic": {}, "restricted": {Restricted: true}, "read only": {ReadOnly: true}} {
		p.Name, p.Ontology = name, s.ontology
		id, err := s.srv.AddProject(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.srv.AddMember(ctx, id, member.keys.ID, false); err != nil {
			t.Fatal(err)
		}
		if err := s.srv.AddMember(ctx, id, manager.keys.ID, true); err != nil {
			t.Fatal(err)
		}
		base := s.get("/api/imageinstance/%d.json", s.image).id("baseImage")
		modes[name] = id
		images[name] = s.post("/api/imageinstance.json", map[string]any{"baseImage": base, "project": id}).id("imageinstance", "id")
	}
	for _, c := range []struct {
		who              *site
		name, mode       string
		see, add, attach int
	}{
		{stranger, "stranger", "classic", 403, 403, 403},
		{member, "member", "classic", 200, 200, 200},
		{member, "member", "restricted", 200, 200, 403}, // a job has no owner
		{member, "member", "read only", 200, 403, 403},
		{manager, "manager", "restricted", 200, 200, 200},
		{manager, "manager", "read only", 200, 200, 200},
		{s, "admin", "read only", 200, 200, 200},
	} {
		t.Run(c.name+" in "+c.mode, func(t *testing.T) {
			project := modes[c.mode]
			job := s.post("/api/job.json", map[string]any{"project": project, "software": software}).id("job", "id")
			check := func(what string, r *reply, want int) {
				t.Helper()
				if r.status != want {
					t.Errorf("%s: status %d, want %d\n%s", what, r.status, want, r.body)
				}
				if want == 403 && r.status == 403 {
					if e, _ := r.object()["errors"].(map[string]any); e["message"] != "You are not allowed to do this!" {
						t.Errorf("%s: %s", what, r.body)
					}
				}
			}
			check("see the project", c.who.get("/api/project/%d.json", project), c.see)
			check("see its images", c.who.get("/api/project/%d/imageinstance.json", project), c.see)
			check("see a job", c.who.get("/api/job/%d.json", job), c.see)
			check("see annotations", c.who.get("/api/annotation.json?project=%d", project), c.see)
			check("see pixels", c.who.get("/api/imageinstance/%d/thumb.png", images[c.mode]), c.see)
			check("add a job", c.who.post("/api/job.json", map[string]any{"project": project, "software": software}), c.add)
			check("change a job", c.who.put("/api/job/1.json", map[string]any{"id": job, "project": project, "software": software}), c.add)
			check("add a parameter", c.who.post("/api/jobparameter.json", map[string]any{"job": job, "softwareParameter": params[0], "value": "1"}), c.add)
			check("add an annotation", c.who.post("/api/annotation.json", map[string]any{"location": square, "image": images[c.mode]}), c.add)
			check("attach a log", c.who.upload(fmt.Sprintf("/api/attachedfile.json?domainClassName=be.cytomine.processing.Job&domainIdent=%d", job), "log.out", []byte("x"), nil), c.attach)
		})
	}
	own := member.post("/api/annotation.json", map[string]any{"location": square, "image": images["restricted"]}).id("annotation", "id")
	others := manager.post("/api/annotation.json", map[string]any{"location": square, "image": images["restricted"]}).id("annotation", "id")
	member.remove("/api/annotation/%d.json", others).want(403)
	member.remove("/api/annotation/%d.json", own).ok()
	if n := len(stranger.get("/api/project.json").list()); n != 0 {
		t.Errorf("the stranger sees %d projects", n)
	}
	if n := stranger.get("/api/job.json").id("size"); n != 0 {
		t.Errorf("the stranger sees %d jobs", n)
	}
	if n := len(member.get("/api/project.json").list()); n != 3 {
		t.Errorf("the member sees %d projects", n)
	}
	member.remove("/api/project/%d.json", modes["classic"]).want(403)
	member.post("/api/softwareproject.json", map[string]any{"software": software, "project": modes["classic"]}).want(403)
	member.put("/api/software/1.json", map[string]any{"id": software, "name": "mine"}).want(403)
	member.post("/api/user.json", map[string]any{"username": "x", "firstname": "x", "lastname": "x", "email": "x"}).want(403)
}

func TestAJobActsWithTheRightsOfItsPerson(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	bob, err := s.srv.AddUser(ctx, Person{Username: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.srv.AddMember(ctx, s.project, bob.ID, false); err != nil {
		t.Fatal(err)
	}
	software, _ := s.software("Demo")
	_, keys := s.as(bob).job(software)
	app := s.as(keys)
	app.annotate(square)
	if n := len(app.get("/api/project.json").list()); n != 1 {
		t.Errorf("%d projects", n)
	}
	s.remove("/api/project/%d/user/%d.json", s.project, bob.ID).ok()
	app.get("/api/project/%d.json", s.project).want(403)
	if err := s.srv.store.update(ctx, func(t *tx) error { return t.exec("UPDATE user SET enabled=0 WHERE id=?", bob.ID) }); err != nil {
		t.Fatal(err)
	}
	app.get("/api/project.json").want(401)
}

func TestProjectsAndTheirMembers(t *testing.T) {
	s := newSite(t)
	bob, err := s.srv.AddUser(context.Background(), Person{Username: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	made := s.post("/api/project.json", map[string]any{"name": "new", "ontology": s.ontology, "users": []int64{bob.ID}, "admins": []int64{s.admin.ID}})
	project := made.id("project", "id")
	m := made.object()["project"].(map[string]any)
	for name, want := range map[string]any{"ontologyName": "tissue", "numberOfImages": 0.0, "isReadOnly": false, "isClosed": false, "blindMode": false,
		"discipline": nil, "disciplineName": nil, "class": "be.cytomine.project.Project"} {
		if got, ok := m[name]; !ok || got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	s.post("/api/project.json", map[string]any{"name": "NEW"}).want(409)
	s.post("/api/project.json", map[string]any{"name": "other", "ontology": 4711}).want(400)
	names := func(path string) string {
		var out []any
		for _, u := range s.get(path+"?sort=username&order=asc", project).list() {
			out = append(out, u["username"])
		}
		return fmt.Sprint(out)
	}
	if got := names("/api/project/%d/user.json"); got != "[admin bob]" {
		t.Errorf("users %s", got)
	}
	if got := names("/api/project/%d/admin.json"); got != "[admin]" {
		t.Errorf("admins %s", got)
	}
	s.post(fmt.Sprintf("/api/project/%d/user/%d/admin.json", project, bob.ID), "").ok()
	if got := names("/api/project/%d/admin.json"); got != "[admin bob]" {
		t.Errorf("admins %s", got)
	}
	s.remove("/api/project/%d/user/%d/admin.json", project, bob.ID).ok()
	if got := names("/api/project/%d/user.json") + names("/api/project/%d/admin.json"); got != "[admin bob][admin]" {
		t.Errorf("%s", got)
	}
	s.remove("/api/project/%d/user/%d.json", project, bob.ID).ok()
	if got := names("/api/project/%d/user.json"); got != "[admin]" {
		t.Errorf("users %s", got)
	}
	if n := len(s.get("/api/user/%d/project.json", s.admin.ID).list()); n != 2 {
		t.Errorf("%d projects of the administrator", n)
	}
	m["name"] = "renamed"
	if got := s.put("/api/project/1.json", m).ok().object()["project"].(map[string]any)["name"]; got != "renamed" {
		t.Errorf("%v", got)
	}
	if got := s.get("/api/project.json?name[ilike]=REN%%25").list(); len(got) != 1 {
		t.Errorf("%v", got)
	}
	software, _ := s.software("Demo")
	s.job(software)
	s.annotate(square)
	s.remove("/api/project/%d.json", s.project).ok()
	s.get("/api/project/%d.json", s.project).want(404)
	s.get("/api/imageinstance/%d.json", s.image).want(404)
	if n := s.get("/api/job.json").id("size"); n != 0 {
		t.Errorf("%d jobs of a project that is gone", n)
	}
}
