package embedded

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
)

const square = "POLYGON ((10 10, 20 10, 20 20, 10 20, 10 10))"

// annotate posts an annotation and returns its id.
func (s *site) annotate(location string, terms ...int64) int64 {
	s.t.Helper()
	return s.post("/api/annotation.json", map[string]any{"location": location, "image": s.image, "term": terms}).id("annotation", "id")
}

func TestAnAnnotationIsDescribedInFull(t *testing.T) {
	s := newSite(t)
	r := s.post("/api/annotation.json", map[string]any{"location": square, "image": s.image, "term": []int64{s.term}})
	id := r.id("annotation", "id")
	for _, m := range []map[string]any{r.object()["annotation"].(map[string]any), s.get("/api/annotation/%d.json", id).ok().object()} {
		for name, want := range map[string]any{"class": "be.cytomine.ontology.UserAnnotation", "location": square, "image": float64(s.image), "project": float64(s.project),
			"container": float64(s.project), "user": float64(s.admin.ID), "area": 100.0, "areaUnit": "pixels²", "perimeter": 40.0, "perimeterUnit": "pixels",
			"geometryCompression": 0.0, "reviewed": false, "updated": nil, "rate": nil,
			"cropURL":      fmt.Sprintf("%s/api/userannotation/%d/crop.jpg", s.url, id),
			"smallCropURL": fmt.Sprintf("%s/api/userannotation/%d/crop.png?maxSize=256", s.url, id)} {
			if got, ok := m[name]; !ok || got != want {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
		centre := m["centroid"].(map[string]any)
		if fmt.Sprint(m["term"]) != fmt.Sprintf("[%d]", s.term) || math.Abs(centre["x"].(float64)-15) > 1e-9 || math.Abs(centre["y"].(float64)-15) > 1e-9 {
			t.Errorf("term %v, centroid %v", m["term"], centre)
		}
		if _, ok := m["created"].(string); !ok {
			t.Errorf("created %T, want a string here", m["created"])
		}
	}
	callback := r.object()["callback"].(map[string]any)
	if callback["method"] != "be.cytomine.AddUserAnnotationCommand" || callback["imageID"] != float64(s.image) {
		t.Errorf("callback %v", callback)
	}
}

func TestAreasAreInMicronsWhereTheResolutionIsKnown(t *testing.T) {
	s := newSite(t)
	image, err := s.srv.AddImage(context.Background(), NewImage{Project: s.project, Name: "fine.png", Resolution: 0.5}, bytes.NewReader(halfImage(100, 80)))
	if err != nil {
		t.Fatal(err)
	}
	s.image = image
	id := s.annotate(square)
	check := func(area, perimeter float64, areaUnit, perimeterUnit string) {
		t.Helper()
		m := s.get("/api/annotation/%d.json", id).ok().object()
		if math.Abs(m["area"].(float64)-area) > 1e-9 || math.Abs(m["perimeter"].(float64)-perimeter) > 1e-9 || m["areaUnit"] != areaUnit || m["perimeterUnit"] != perimeterUnit {
			t.Errorf("%v %v, %v %v", m["area"], m["areaUnit"], m["perimeter"], m["perimeterUnit"])
		}
	}
	check(25, 0.02, "micron²", "mm")
	whole := s.get("/api/imageinstance/%d.json", image).ok().object()
	whole["resolution"], whole["physicalSizeX"] = 2, 2
	s.put(fmt.Sprintf("/api/imageinstance/%d.json", image), whole).ok()
	check(400, 0.08, "micron²", "mm")
}

func TestLocationsThatAreRefusedOrCut(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		name string
		body map[string]any
		want any // the stored location, or the status
	}{
		{"point", map[string]any{"location": "POINT (3.5 4)", "image": s.image}, "POINT (3.5 4)"},
		{"line", map[string]any{"location": "LINESTRING(0 0,5 5)", "image": s.image}, "LINESTRING (0 0, 5 5)"},
		{"lower case and spaces", map[string]any{"location": "  polygon((1 1,2 1,2 2,1 1)) ", "image": s.image}, "POLYGON ((1 1, 2 1, 2 2, 1 1))"},
		{"hole", map[string]any{"location": "POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,2 1,2 2,1 1))", "image": s.image}, "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 2 1, 2 2, 1 1))"},
		{"several", map[string]any{"location": "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))", "image": s.image}, "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))"},
		{"height is dropped", map[string]any{"location": "POLYGON Z ((0 0 7, 1 0 7, 1 1 7, 0 0 7))", "image": s.image}, "POLYGON ((0 0, 1 0, 1 1, 0 0))"},
		{"exponents", map[string]any{"location": "POINT (1e1 2.5E0)", "image": s.image}, "POINT (10 2.5)"},
		{"by slice", map[string]any{"location": "POINT (1 1)", "slice": s.get("/api/imageinstance/%d/sliceinstance/reference.json", s.image).id("id")}, "POINT (1 1)"},
		{"outside", map[string]any{"location": "POLYGON ((200 200, 210 200, 210 210, 200 200))", "image": s.image}, 400},
		{"bow tie", map[string]any{"location": "POLYGON ((0 0, 10 10, 10 0, 0 10, 0 0))", "image": s.image}, 400},
		{"open ring", map[string]any{"location": "POLYGON ((0 0, 10 10, 10 0))", "image": s.image}, 400},
		{"no WKT", map[string]any{"location": "circle", "image": s.image}, 400},
		{"no number", map[string]any{"location": "POINT (NaN 1)", "image": s.image}, 400},
		{"empty", map[string]any{"location": "POLYGON EMPTY", "image": s.image}, 400},
		{"collection", map[string]any{"location": "GEOMETRYCOLLECTION (POINT (1 1))", "image": s.image}, 400},
		{"several lines", map[string]any{"location": "MULTILINESTRING ((0 0,1 1),(2 2,3 3))", "image": s.image}, 400},
		{"null", map[string]any{"location": nil, "image": s.image}, 400},
		{"no image", map[string]any{"location": square}, 400},
		{"unknown image", map[string]any{"location": square, "image": 4711}, 400},
		{"unknown term", map[string]any{"location": square, "image": s.image, "term": []int64{4711}}, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.post("/api/annotation.json", c.body)
			r.t = t
			if status, refused := c.want.(int); refused {
				if m := r.want(status).object(); m["success"] != false || m["errors"] == "" {
					t.Errorf("%v", m)
				}
				return
			}
			if got := r.ok().object()["annotation"].(map[string]any)["location"]; got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
	// What reaches over the edge is cut off.
	over := s.post("/api/annotation.json", map[string]any{"location": "POLYGON ((-10 -10, 30 -10, 30 30, -10 30, -10 -10))", "image": s.image})
	if got := over.ok().object()["annotation"].(map[string]any)["area"]; got != 900.0 {
		t.Errorf("area %v of what is inside", got)
	}
	if n := s.get("/api/annotation.json?project=%d", s.project).id("size"); n != 9 {
		t.Errorf("%d annotations, refused ones must leave nothing", n)
	}
}

func TestLargeShapesAreSimplified(t *testing.T) {
	s := newSite(t)
	var b strings.Builder
	b.WriteString("POLYGON ((")
	const n = 1000
	for i := range n + 1 {
		a := 2 * math.Pi * float64(i%n) / n
		fmt.Fprintf(&b, "%.6f %.6f,", 50+30*math.Cos(a), 40+30*math.Sin(a))
	}
	circle := strings.TrimSuffix(b.String(), ",") + "))"
	m := s.post("/api/annotation.json", map[string]any{"location": circle, "image": s.image}).ok().object()["annotation"].(map[string]any)
	if got := strings.Count(m["location"].(string), ","); got >= n || got < 20 || m["geometryCompression"] == 0.0 {
		t.Errorf("%d points, compression %v", got, m["geometryCompression"])
	}
	m = s.post("/api/annotation.json?minPoint=10&maxPoint=30", map[string]any{"location": circle, "image": s.image}).ok().object()["annotation"].(map[string]any)
	if got := strings.Count(m["location"].(string), ","); got > 30 || got < 5 {
		t.Errorf("%d points, at most 30 were asked for", got)
	}
}

func TestAnArrayOfAnnotationsKeepsWhatIsGood(t *testing.T) {
	s := newSite(t)
	good := map[string]any{"location": square, "image": s.image, "term": []int64{s.term}}
	bad := map[string]any{"location": "POLYGON ((0 0", "image": s.image}
	unknownTerm := map[string]any{"location": square, "image": s.image, "term": []int64{s.term, 4711}}
	for _, c := range []struct {
		name   string
		body   []any
		status int
		added  int
	}{
		{"all good", []any{good, good}, 200, 2},
		{"some", []any{good, bad, good, unknownTerm}, 206, 2},
		{"none", []any{bad, unknownTerm}, 400, 0},
		{"empty", []any{}, 200, 0}, // the Python client ends every upload of a round number with one
	} {
		before := s.get("/api/annotation.json?project=%d&max=1", s.project).id("size")
		m := s.post("/api/annotation.json", c.body).want(c.status).object()
		if got := s.get("/api/annotation.json?project=%d&max=1", s.project).id("size") - before; int(got) != c.added {
			t.Errorf("%s: %d were added, want %d", c.name, got, c.added)
		}
		if errs, _ := m["errors"].([]any); len(errs) != len(c.body)-c.added {
			t.Errorf("%s: %v", c.name, m)
		}
	}
	if n := s.get("/api/project/%d.json", s.project).id("numberOfAnnotations"); n != 4 {
		t.Errorf("the project counts %d", n)
	}
}

func TestAnnotationsFromParallelConnectionsArriveWhole(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("bulk")
	_, keys := s.job(software)
	app := s.as(keys)
	if err := postPolygons(app, 1200); err != nil {
		t.Fatal(err)
	}
	r := app.get("/api/annotation.json?project=%d&user=%d&showTerm=true&showWKT=true&showMeta=true", s.project, keys.ID)
	seen := map[string]bool{}
	for _, a := range r.list() {
		if a["location"] == "" || fmt.Sprint(a["term"]) != fmt.Sprintf("[%d]", s.term) {
			t.Fatalf("torn annotation %v", a)
		}
		seen[fmt.Sprint(a["id"])] = true
	}
	if len(seen) != 1200 {
		t.Errorf("%d of 1200 arrived", len(seen))
	}
	if n := s.get("/api/imageinstance/%d.json", s.image).id("numberOfJobAnnotations"); n != 1200 {
		t.Errorf("the image counts %d", n)
	}
}

func TestAnnotationListFilters(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	stroma, err := s.srv.AddTerm(ctx, s.ontology, "stroma", "#00ff00")
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.srv.AddImage(ctx, NewImage{Project: s.project, Name: "b.png"}, bytes.NewReader(halfImage(50, 50)))
	if err != nil {
		t.Fatal(err)
	}
	software, _ := s.software("Demo")
	job, keys := s.job(software)
	app := s.as(keys)
	ids := map[string]int64{
		"a": s.annotate(square, s.term),
		"b": s.annotate("POLYGON ((50 50, 60 50, 60 60, 50 50))", s.term, stroma),
		"c": s.annotate("POINT (80 70)"),
		"j": app.annotate("POLYGON ((0 0, 5 0, 5 5, 0 0))", stroma),
		"k": app.annotate("POLYGON ((90 70, 99 70, 99 79, 90 70))"),
	}
	on2 := *s
	on2.image = second
	ids["d"] = on2.annotate("POINT (1 1)", s.term)
	app.post(fmt.Sprintf("/api/annotation/%d/term/%d.json", ids["c"], s.term), map[string]any{"annotationIdent": ids["c"], "term": s.term, "rate": 0.9}).ok()
	name := map[int64]string{}
	for n, id := range ids {
		name[id] = n
	}
	p := fmt.Sprintf("project=%d", s.project)
	for _, c := range []struct {
		query, want string // newest first
	}{
		{p, "d c b a"},
		{p + "&showWKT=true", "d c b a"},
		{fmt.Sprintf("image=%d", s.image), "c b a"},
		{fmt.Sprintf("images=%d,%d", s.image, second), "d c b a"},
		{fmt.Sprintf("%s&images=%d_%d", p, s.image, second), "d c b a"},
		{fmt.Sprintf("%s&user=%d", p, keys.ID), "k j"},
		{fmt.Sprintf("%s&users=%d", p, keys.ID), "k j"},
		{fmt.Sprintf("%s&users=%d,%d", p, keys.ID, s.admin.ID), "d k j c b a"},
		{fmt.Sprintf("%s&job=%d", p, job), "k j"},
		{p + "&includeAlgo=true", "d k j c b a"},
		{fmt.Sprintf("%s&user=%d", p, s.admin.ID), "d c b a"},
		{fmt.Sprintf("%s&term=%d", p, s.term), "d b a"},
		{fmt.Sprintf("%s&terms=%d_%d", p, s.term, stroma), "d b a"},
		{fmt.Sprintf("%s&term=%d,%d", p, s.term, stroma), "d b a"},
		{fmt.Sprintf("%s&user=%d&term=%d", p, keys.ID, stroma), "j"},
		{fmt.Sprintf("%s&includeAlgo=true&term=%d", p, s.term), "c"}, // suggested by the job; people's own terms do not count
		{fmt.Sprintf("%s&includeAlgo=true&terms=%d", p, stroma), "j b"},
		{fmt.Sprintf("%s&term=%d&noTerm=true", p, stroma), "c b"},
		{p + "&noTerm=true", "c"},
		{fmt.Sprintf("%s&users=%d&noTerm=true", p, keys.ID), "k"},
		{p + "&noAlgoTerm=true", "d b a"},
		{p + "&multipleTerm=true", "b"},
		{fmt.Sprintf("%s&suggestedTerm=%d", p, s.term), "c"},
		{fmt.Sprintf("%s&userForTermAlgo=%d", p, keys.ID), "c"},
		{fmt.Sprintf("%s&jobForTermAlgo=%d", p, job), "c"},
		{p + "&jobForTermAlgo=4711", ""},
		{p + "&reviewed=true", ""},
		{p + "&reviewed=false", "d c b a"},
		{p + "&notReviewedOnly=true", "d c b a"},
		{fmt.Sprintf("%s&excludedAnnotation=%d", p, ids["b"]), "d c a"},
		{fmt.Sprintf("image=%d&bbox=0,0,30,30", s.image), "a"},
		{fmt.Sprintf("image=%d&bbox=POLYGON%%28%%280+0%%2C55+0%%2C55+55%%2C0+55%%2C0+0%%29%%29", s.image), "b a"},
		{fmt.Sprintf("image=%d&bbox=50,58,52,60", s.image), ""}, // only the rectangle around b touches
		{fmt.Sprintf("image=%d&bboxAnnotation=%d", s.image, ids["a"]), "a"},
		{fmt.Sprintf("image=%d&baseAnnotation=%d&maxDistanceBaseAnnotation=45", s.image, ids["a"]), "b a"},
		{fmt.Sprintf("image=%d&baseAnnotation=POINT%%2880+71%%29&maxDistanceBaseAnnotation=2", s.image), "c"},
		{p + "&afterThan=1", "d c b a"},
		{p + "&beforeThan=1", ""},
		{p + "&max=2", "d c"},
		{p + "&max=2&offset=2", "b a"},
		{fmt.Sprintf("image=%d&bbox=0,0,100,80&max=1&offset=1", s.image), "b"},
		{p + "&unknown=1&kmeans=false", "d c b a"},
	} {
		t.Run(c.query, func(t *testing.T) {
			r := s.get("/api/annotation.json?%s", c.query)
			r.t = t
			var got []string
			for _, a := range r.list() {
				got = append(got, name[int64(a["id"].(float64))])
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
	for query, want := range map[string]int{
		"": 400, fmt.Sprintf("user=%d", keys.ID): 400, "image=4711": 404, "project=4711": 404, p + "&user=4711": 404, p + "&term=4711": 404,
		p + "&bbox=1,2,3": 400, p + "&maxDistanceBaseAnnotation=5": 404, p + "&bboxAnnotation=4711": 404,
	} {
		s.get("/api/annotation.json?%s", query).want(want)
	}
	r := s.post("/api/annotation/search.json", map[string]any{"project": s.project, "users": []int64{keys.ID}, "showWKT": true})
	if n := len(r.list()); n != 2 {
		t.Errorf("search by POST: %d", n)
	}
	if n := len(s.get("/api/imageinstance/%d/annotation/included.json?geometry=POLYGON%%28%%280+0%%2C30+0%%2C30+30%%2C0+30%%2C0+0%%29%%29&user=%d", s.image, keys.ID).list()); n != 1 {
		t.Errorf("included: %d", n)
	}
	for path, want := range map[string]int64{
		fmt.Sprintf("/api/project/%d/userannotation/count.json", s.project): 4, fmt.Sprintf("/api/project/%d/algoannotation/count.json", s.project): 2,
		fmt.Sprintf("/api/user/%d/userannotation/count.json", s.admin.ID): 4} {
		if got := s.get("%s", path).id("total"); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

func TestGroupsOfAttributesInTheAnnotationList(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Demo")
	_, keys := s.job(software)
	app := s.as(keys)
	app.annotate(square, s.term)
	row := func(query string) map[string]any {
		t.Helper()
		return s.get("/api/annotation.json?project=%d&user=%d&%s", s.project, keys.ID, query).list()[0]
	}
	has := func(query string, names ...string) {
		t.Helper()
		m := row(query)
		for _, n := range names {
			want := !strings.HasPrefix(n, "-")
			if _, ok := m[strings.TrimPrefix(n, "-")]; ok != want {
				t.Errorf("%s: %s present is %v", query, n, ok)
			}
		}
	}
	has("", "id", "class", "cropURL", "term", "userByTerm", "-location", "-area", "-creator")
	has("showBasic=true", "id", "class", "-cropURL", "-term")
	has("showMeta=True&showWKT=true", "cropURL", "location", "geometryCompression", "-term", "-area")
	has("showGIS=true", "area", "areaUnit", "perimeter", "perimeterUnit", "x", "y", "-cropURL")
	has("showUser=true", "creator", "software", "job")
	has("showImage=true", "originalfilename", "instancefilename")
	has("showDefault=true&hideMeta=true", "term", "-cropURL")
	has("showTrack=true", "track")
	m := row("showMeta=true&showTerm=true&showAlgo=true")
	if _, number := m["created"].(float64); !number {
		t.Errorf("created %T, want a number here", m["created"])
	}
	if m["updated"] != nil || m["rate"] != 0.0 || m["idTerm"] != float64(s.term) || m["user"] != float64(keys.ID) || m["class"] != "be.cytomine.ontology.AlgoAnnotation" {
		t.Errorf("%v", m)
	}
	by := m["userByTerm"].([]any)[0].(map[string]any)
	if by["term"] != float64(s.term) || fmt.Sprint(by["user"]) != fmt.Sprintf("[%d]", keys.ID) {
		t.Errorf("userByTerm %v", by)
	}
}

func TestChangingAndDeletingAnAnnotation(t *testing.T) {
	s := newSite(t)
	id := s.annotate("POLYGON ((10 10, 30 10, 30 30, 10 30, 10 10), (15 15, 20 15, 20 20, 15 20, 15 15))", s.term)
	whole := s.get("/api/annotation/%d.json", id).ok().object()
	whole["location"] = "POLYGON ((10 10, 40 10, 40 40, 10 40, 10 10), (15 15, 20 15, 20 20, 15 20, 15 15))"
	m := s.put("/api/annotation/1.json", whole).ok().object()["annotation"].(map[string]any)
	if m["area"] != 875.0 || m["updated"] == nil || fmt.Sprint(m["term"]) != fmt.Sprintf("[%d]", s.term) {
		t.Errorf("%v", m)
	}
	if m := s.post(fmt.Sprintf("/api/annotation/%d/fill.json", id), "").ok().object()["annotation"].(map[string]any); m["area"] != 900.0 {
		t.Errorf("filled area %v", m["area"])
	}
	delete(whole, "id")
	s.put(fmt.Sprintf("/api/annotation/%d.json", id), whole).want(404)
	s.put("/api/annotation/1.json", map[string]any{"id": id, "image": s.image}).want(400)
	s.put("/api/annotation/1.json", map[string]any{"id": id, "image": s.image, "location": "nonsense"}).want(400)
	deleted := s.remove("/api/annotation/%d.json", id).ok().object()
	if deleted["annotation"].(map[string]any)["id"] != float64(id) || deleted["callback"].(map[string]any)["method"] != "be.cytomine.DeleteUserAnnotationCommand" {
		t.Errorf("%v", deleted)
	}
	s.get("/api/annotation/%d.json", id).want(404)
	s.remove("/api/annotation/%d.json", id).want(404)
	if n := s.get("/api/project/%d.json", s.project).id("numberOfAnnotations"); n != 0 {
		t.Errorf("the project still counts %d", n)
	}
}

func TestTermsOnAnnotations(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	stroma, err := s.srv.AddTerm(ctx, s.ontology, "stroma", "#00ff00")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := s.srv.AddOntology(ctx, "other")
	if err != nil {
		t.Fatal(err)
	}
	alien, err := s.srv.AddTerm(ctx, foreign, "alien", "#0000ff")
	if err != nil {
		t.Fatal(err)
	}
	software, _ := s.software("Demo")
	_, keys := s.job(software)
	app := s.as(keys)
	human, algo := s.annotate(square), app.annotate(square)
	path := func(a, term int64) string { return fmt.Sprintf("/api/annotation/%d/term/%d.json", a, term) }

	r := s.post(path(human, s.term), map[string]any{"userannotation": human, "term": s.term}).ok().object()
	if link := r["annotationterm"].(map[string]any); link["userannotation"] != float64(human) || link["user"] != float64(s.admin.ID) {
		t.Errorf("%v", r)
	}
	s.post(path(human, s.term), map[string]any{"userannotation": human, "term": s.term}).want(409)
	s.post(path(human, alien), map[string]any{"userannotation": human, "term": alien}).want(400)
	s.post(path(algo, s.term), map[string]any{"userannotation": algo, "term": s.term}).want(400) // people do not label a job's annotations

	r = app.post(path(algo, s.term), map[string]any{"annotationIdent": algo, "term": s.term, "expectedTerm": stroma, "rate": 0.75}).ok().object()
	if link := r["algoannotationterm"].(map[string]any); link["rate"] != 0.75 || link["expectedTerm"] != float64(stroma) || link["annotationIdent"] != float64(algo) {
		t.Errorf("%v", r)
	}
	app.post(path(algo, stroma), map[string]any{"annotationIdent": algo, "term": stroma, "rate": 1.5}).want(400)
	app.post(path(human, stroma), map[string]any{"annotationIdent": human, "term": stroma}).ok() // a suggestion
	app.post(path(algo, stroma), map[string]any{"userannotation": algo, "term": stroma}).ok()    // as the client's AnnotationTerm
	app.remove("/api/annotation/%d/term/%d.json", algo, s.term).want(400)

	if got := s.get("%s", path(human, s.term)).ok().object()["term"]; got != float64(s.term) {
		t.Errorf("term %v", got)
	}
	s.get("%s", path(human, alien)).want(404)
	if n := len(s.get("/api/annotation/%d/term.json", human).list()); n != 2 {
		t.Errorf("%d terms of people and jobs", n)
	}
	clear := s.post(fmt.Sprintf("/api/annotation/%d/term/%d/clearBefore.json", human, stroma), map[string]any{}).ok().object()
	if clear["annotationterm"].(map[string]any)["term"] != float64(stroma) {
		t.Errorf("%v", clear)
	}
	row := s.get("/api/annotation.json?project=%d&showTerm=true", s.project).list()[0]
	if fmt.Sprint(row["term"]) != fmt.Sprintf("[%d]", stroma) {
		t.Errorf("terms after clearing %v", row["term"])
	}
	s.remove("/api/annotation/%d/term/%d.json", human, stroma).ok()
	s.remove("/api/annotation/%d/term/%d.json", human, stroma).want(404)
	s.remove("/api/term/%d.json", s.term).want(400) // still on the job's annotation
}

func TestReviewingAnAnnotation(t *testing.T) {
	s := newSite(t)
	id := s.annotate(square, s.term)
	s.post(fmt.Sprintf("/api/annotation/%d/review.json", id), "{}").want(400) // the image is not under review
	s.post(fmt.Sprintf("/api/imageinstance/%d/review.json", s.image), "{}").ok()
	made := s.post(fmt.Sprintf("/api/annotation/%d/review.json", id), map[string]any{"id": id, "terms": []int64{}}).ok().object()["reviewedannotation"].(map[string]any)
	if made["parentIdent"] != float64(id) || fmt.Sprint(made["term"]) != fmt.Sprintf("[%d]", s.term) {
		t.Errorf("%v", made)
	}
	s.post(fmt.Sprintf("/api/annotation/%d/review.json", id), "{}").want(409)
	if n := len(s.get("/api/annotation.json?project=%d&reviewed=true&showTerm=true", s.project).list()); n != 1 {
		t.Errorf("%d reviewed", n)
	}
	if m := s.get("/api/annotation/%d.json", id).ok().object(); m["reviewed"] != true {
		t.Error("the annotation does not know that it was reviewed")
	}
	if n := len(s.get("/api/annotation.json?project=%d&notReviewedOnly=true", s.project).list()); n != 0 {
		t.Errorf("%d not reviewed", n)
	}
	s.remove("/api/annotation/%d/review.json", id).ok()
	s.remove("/api/imageinstance/%d/review.json", s.image).ok()
	if m := s.get("/api/imageinstance/%d.json", s.image).ok().object(); m["reviewed"] != true || m["numberOfReviewedAnnotations"] != 0.0 {
		t.Errorf("%v", m)
	}
}

func FuzzLocation(f *testing.F) {
	for _, s := range []string{square, "POINT (1 2)", "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))", "POLYGON((0 0,1e308 0,1e308 1e308,0 0))", "POLYGON((-5 -5,500 -5,500 500,-5 -5))"} {
		f.Add(s)
	}
	v := &canvas{width: 100, height: 80}
	f.Fuzz(func(t *testing.T, location string) {
		g, err := v.shape(object{"location": location})
		if err != nil {
			return
		}
		m := measureShape(g, 0)
		if m.minX < -1e-6 || m.minY < -1e-6 || m.maxX > 100+1e-6 || m.maxY > 80+1e-6 || math.IsNaN(m.area) || m.area < 0 {
			t.Fatalf("%q: %+v lies outside", location, m)
		}
		if _, err := parseShape(wkt(g)); err != nil && g.Dimension() < 2 {
			t.Fatalf("%q: what was stored cannot be read: %s", location, wkt(g))
		}
	})
}
