package embedded

import (
	"context"
	"fmt"
	"net/url"
	"testing"
)

func TestJobListFilters(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	alpha, _ := s.software("Alpha")
	beta, _ := s.software("beta")
	bob, err := s.srv.AddUser(ctx, Person{Username: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.srv.AddMember(ctx, s.project, bob.ID, false); err != nil {
		t.Fatal(err)
	}
	other, err := s.srv.AddProject(ctx, NewProject{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	add := func(who *site, software, project int64, status int, comment string) int64 {
		return who.post("/api/job.json", map[string]any{"project": project, "software": software, "status": status, "statusComment": comment}).id("job", "id")
	}
	j1 := add(s, alpha, s.project, 3, "fine")
	j2 := add(s.as(bob), alpha, s.project, 4, "Out of memory")
	j3 := add(s, beta, s.project, 2, "")
	j4 := add(s, beta, other, 0, "100%")
	for _, c := range []struct {
		query string
		want  []int64 // newest first
	}{
		{"", []int64{j4, j3, j2, j1}},
		{fmt.Sprintf("project=%d", s.project), []int64{j3, j2, j1}},
		{fmt.Sprintf("project=%d,%d", s.project, other), []int64{j4, j3, j2, j1}},
		{fmt.Sprintf("software=%d", alpha), []int64{j2, j1}},
		{"project=4711", nil},
		{"software=4711", nil},
		{"status[in]=3,4", []int64{j2, j1}},
		{"status%5Bin%5D=3%2C4", []int64{j2, j1}},
		{"status[equals]=0", []int64{j4}},
		{"status[gte]=3", []int64{j2, j1}},
		{"status[lte]=2", []int64{j4, j3}},
		{"status[in]=x", nil},
		{"status[gte]=x", nil},
		{"username[in]=bob", []int64{j2}},
		{"username[in]=bob,admin", []int64{j4, j3, j2, j1}},
		{"softwareName[ilike]=*ALPHA*", []int64{j2, j1}},
		{"softwareName[like]=%25ALPHA%25", nil},
		{"softwareName[like]=%25lph%25", []int64{j2, j1}},
		{"statusComment[ilike]=%25memory%25", []int64{j2}},
		{"statusComment[equals]=100%2525", []int64{j4}}, // values are decoded once more
		{fmt.Sprintf("id[equals]=%d", j3), []int64{j3}},
		{"favorite[in]=null", []int64{j4, j3, j2, j1}},
		{"favorite[in]=true", nil},
		{"status[between]=1", []int64{j4, j3, j2, j1}}, // no such operator
		{"nonsense[in]=1", []int64{j4, j3, j2, j1}},    // no such field
		{"launcher[in]=1", []int64{j4, j3, j2, j1}},    // not shown, not searched
		{"max=2", []int64{j4, j3}},
		{"max=2&offset=1", []int64{j3, j2}},
		{"max=0&offset=3", []int64{j1}},
		{"max=2&offset=9", nil},
		{"max=-1&offset=-1", []int64{j4, j3, j2, j1}},
		{"sort=id&order=asc", []int64{j1, j2, j3, j4}},
		{"sort=id", []int64{j4, j3, j2, j1}},
		{"sort=status&order=asc", []int64{j4, j3, j1, j2}},
		{"sort=username&order=desc&max=1", []int64{j2}},
		{"sort=softwareName&order=asc&max=2&status[in]=3,4", []int64{j1, j2}},
		{"light=true&unknown=parameter", []int64{j4, j3, j2, j1}},
	} {
		t.Run(c.query, func(t *testing.T) {
			r := s.get("/api/job.json?%s", c.query)
			r.t = t
			var got []int64
			for _, j := range r.list() {
				got = append(got, int64(j["id"].(float64)))
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
	s.get("/api/job.json?sort=nonsense").want(501)
	s.get("/api/job.json?sort=launcher").want(501)
	s.get("/api/job.json?withUser=false&sort=username").want(400)
	s.get("/api/job.json?withUser=false&username[in]=bob").want(400)
	if got := len(s.as(bob).get("/api/job.json").list()); got != 3 {
		t.Errorf("bob sees %d jobs, want those of his project", got)
	}
	if size := s.get("/api/job.json?max=1&offset=1").id("size"); size != 4 {
		t.Errorf("size %d, want that of the whole list", size)
	}
}

// The community edition answers job and image lists without paging fields, others
// with all of them; totalPages is a float.
func TestListEnvelopes(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/api/job.json", fmt.Sprintf("/api/project/%d/imageinstance.json", s.project)} {
		m := s.get("%s", path).ok().object()
		if len(m) != 2 || m["size"] == nil {
			t.Errorf("%s: %v", path, m)
		}
	}
	for i := range 4 {
		s.post("/api/term.json", map[string]any{"name": fmt.Sprint("t", i), "ontology": s.ontology, "color": "#000000"}).ok()
	}
	for query, want := range map[string]string{
		"":                `"offset":0,"perPage":5,"size":5,"totalPages":1.0}`,
		"?max=0&offset=0": `"offset":0,"perPage":5,"size":5,"totalPages":1.0}`,
		"?max=2":          `"offset":0,"perPage":2,"size":5,"totalPages":3.0}`,
		"?max=2&offset=4": `"offset":4,"perPage":2,"size":5,"totalPages":3.0}`,
	} {
		r := s.get("/api/ontology/%d/term.json%s", s.ontology, query).ok()
		if body := string(r.body); len(body) < len(want) || body[len(body)-len(want):] != want {
			t.Errorf("%q: %s, want its end %s", query, body, want)
		}
	}
	if got := string(s.get("/api/software.json").ok().body); got != `{"collection":[],"offset":0,"perPage":0,"size":0,"totalPages":0.0}` {
		t.Errorf("empty list: %s", got)
	}
}

func FuzzParseSearch(f *testing.F) {
	for _, s := range []string{"status[in]=3,4", "a[like]=%25x%25", "[in]=1", "a[]=1", "a[in]", "a[in]=null,%zz", "created[gte]=1%2C"} {
		f.Add(s)
	}
	srv, err := Open(f.TempDir(), Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { srv.Close() })
	q := srv.store.read(context.Background())
	f.Fuzz(func(t *testing.T, query string) {
		values, _ := url.ParseQuery(query)
		for _, search := range parseSearch(values) {
			if len(search.values) == 0 {
				t.Fatalf("%q: a filter without values", query)
			}
			for _, k := range []kind{textual, integer, number, boolean} {
				cond, args := search.condition("t.name", k)
				if cond == "" {
					continue
				}
				if _, err := exists(q, "SELECT 1 FROM ontology t WHERE "+cond, args...); err != nil {
					t.Fatalf("%q: %s %v: %v", query, cond, args, err)
				}
			}
		}
	})
}
