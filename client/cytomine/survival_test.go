package cytomine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// One test for each line of the list of what a client of this API must survive.

func TestSurvives01DatesInAnyForm(t *testing.T) {
	want := time.Date(2020, 2, 12, 10, 30, 0, 0, time.UTC)
	for written, want := range map[string]time.Time{
		`"1581503400000"`: want, `1581503400000`: want, `1.5815034e12`: want, `" 1581503400000 "`: want,
		`null`: {}, `""`: {}, `"yesterday"`: {}, `{}`: {}, `[]`: {}, `true`: {},
	} {
		var w struct{ Created moment }
		mustJSON(t, `{"created":`+written+`}`, &w)
		if !w.Created.time().Equal(want) {
			t.Errorf("%s: %v", written, w.Created.time())
		}
	}
}

func TestSurvives01CreatedFilterIsInMilliseconds(t *testing.T) {
	path := jobsPath(client.JobFilter{CreatedAfter: time.UnixMilli(1581503400123), CreatedBefore: time.UnixMilli(1581503400999)})
	for _, want := range []string{"created%5Bgte%5D=1581503400123", "created%5Blte%5D=1581503400999"} {
		if !strings.Contains(path, want) {
			t.Errorf("%s lacks %s", path, want)
		}
	}
}

func TestSurvives02NullsAndNumbersAsText(t *testing.T) {
	s := newSite(t)
	s.json("/api/job.json", `{"collection":[{"id":"900","number":"3","status":"4","progress":55.0,"project":{"id":42},"software":null,
		"softwareName":null,"statusComment":7,"favorite":null,"dataDeleted":"true","userJob":"901","rate":-1.0,"updated":null}],
		"offset":0,"perPage":1,"size":"1","totalPages":1.0}`)
	page, err := s.client("").Jobs(t.Context(), client.JobFilter{})
	if err != nil || len(page.Jobs) != 1 || page.Total != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	j := page.Jobs[0]
	if j.ID != 900 || j.Number != 3 || j.Status != client.Failed || j.Progress != 55 || j.Project != 42 || j.Algorithm != 0 ||
		j.Comment != "7" || j.Favorite || !j.DataDeleted || j.UserJob != 901 || !j.Updated.IsZero() {
		t.Errorf("%+v", j)
	}
}

func TestSurvives03ErrorsInEveryShape(t *testing.T) {
	for body, want := range map[string]string{
		`{"success":false,"errors":"project not set"}`:                           "project not set",
		`{"errors":{"message":"Job not found with id : 9"}}`:                     "Job not found with id : 9",
		`{"errors":["one","two"]}`:                                               "one; two",
		`{"errors":[{"message":"one"},{"data":{},"message":"two"}]}`:             "one; two",
		`{"errors":{"errors":[{"defaultMessage":"too long"}]},"errorValues":{}}`: "too long",
		`{"message":"no"}`:            "no",
		`{"error":"Bad Request"}`:     "Bad Request",
		`{"errors":null}`:             "",
		`{"errors":{"code":5}}`:       "",
		"plain\x1b[31m text\nhere":    "plain [31m text here",
		`{"errors":"a\u0007\nb"}`:     "a b",
		`[]`:                          "[]",
		``:                            "",
		`{"errors":[[[[["deep"]]]]]}`: "",
	} {
		if got := serverMessage([]byte(body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestSurvives03HTMLOn500IsOneLine(t *testing.T) {
	s := newSite(t)
	s.answer("/api/user/current.json", 500, "text/html", "<!DOCTYPE html><html><head><title>Error &amp; more\n</title></head><body>"+strings.Repeat("<p>stack", 1000))
	_, err := s.client("").CurrentUser(t.Context())
	var answer *client.HTTPError
	if !errors.As(err, &answer) || !strings.HasPrefix(answer.Message, "Error & more; try again later") || !client.Transient(err) {
		t.Errorf("%v", err)
	}
}

func TestSurvives03NotLoggedIn(t *testing.T) {
	s := newSite(t)
	s.answer("/api/project.json", 200, "text/html;charset=UTF-8", "<html>welcome")
	s.answer("/api/job/1.json", 200, "application/json", "<html>welcome")
	s.answer("/api/job.json", 200, "application/json", "  <html>welcome")
	if _, err := connect(t, s.URL, client.Keys{Public: publicKey, Private: "wrong"}).CurrentUser(t.Context()); !errors.Is(err, client.ErrUnauthorised) {
		t.Errorf("302 to the start page: %v", err)
	}
	c := s.client("")
	if _, err := c.Projects(t.Context()); !errors.Is(err, client.ErrUnauthorised) {
		t.Errorf("200 with a web page: %v", err)
	}
	if _, err := c.Job(t.Context(), 1); !errors.Is(err, client.ErrUnauthorised) {
		t.Errorf("a web page that claims to be JSON: %v", err)
	}
	if _, err := c.Jobs(t.Context(), client.JobFilter{}); !errors.Is(err, client.ErrUnauthorised) {
		t.Errorf("a web page instead of a list: %v", err)
	}
}

func TestSurvives03RedirectsAreRefused(t *testing.T) {
	s := newSite(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		s.mux.HandleFunc(fmt.Sprintf("/api/job/%d.json", status), func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://safe.example"+r.URL.Path, status)
		})
		for _, method := range []string{"GET", "PUT"} {
			_, err := s.client("").do(t.Context(), call{method: method, path: fmt.Sprintf("/api/job/%d.json", status), contentType: "application/json"})
			var moved *client.MovedError
			if !errors.As(err, &moved) || moved.To != "https://safe.example" || !strings.Contains(err.Error(), "cytorun login https://safe.example") {
				t.Errorf("%d on %s: %v", status, method, err)
			}
		}
	}
	if n := len(s.came()); n != 10 {
		t.Errorf("%d requests, none may be repeated", n)
	}
}

func TestSurvives04PartOfABulkRefused(t *testing.T) {
	s := newSite(t)
	s.answer("/api/softwareparameter.json", 206, "application/json", `{"success":false,"message":"some failed","errors":[{"data":"{}","message":"bad type"}]}`)
	_, err := s.client("").write(t.Context(), "POST", "/api/softwareparameter.json", []int{1})
	if !errors.Is(err, client.ErrInvalid) || !strings.Contains(err.Error(), "bad type") {
		t.Errorf("%v", err)
	}
}

func TestSurvives05UpdateLosesNothing(t *testing.T) {
	s := newSite(t)
	original := jobJSON(`,"jobParameters":[{"id":1,"value":null}],"unheardOf":{"a":[1,2.50,9007199254740993]},"rate":0.5,"emoji":"\ud83d\ude00"`)
	s.json("GET /api/job/900.json", original)
	var sent map[string]json.RawMessage
	s.mux.HandleFunc("PUT /api/job/900.json", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"message":"ok","job":%s}`, body)
	})
	job, err := s.client("").UpdateJob(t.Context(), 900, func(j *client.JobChange) error {
		j.Status, j.Comment = client.Running, "at work"
		return nil
	})
	if err != nil || job.Status != client.Running || job.Comment != "at work" {
		t.Fatalf("%+v, %v", job, err)
	}
	var before map[string]json.RawMessage
	mustJSON(t, original, &before)
	for name, raw := range before {
		switch name {
		case "status":
			raw = json.RawMessage("2")
		case "statusComment":
			raw = json.RawMessage(`"at work"`)
		}
		var was, is any
		mustJSON(t, string(raw), &was)
		mustJSON(t, string(sent[name]), &is)
		if fmt.Sprint(was) != fmt.Sprint(is) {
			t.Errorf("%s was %s, sent %s", name, raw, sent[name])
		}
	}
	if !strings.Contains(string(sent["unheardOf"]), "9007199254740993") {
		t.Errorf("a large number lost its end: %s", sent["unheardOf"])
	}
	if len(sent) != len(before) {
		t.Errorf("%d fields became %d", len(before), len(sent))
	}
}

func TestSurvives05NoChangeWritesNothing(t *testing.T) {
	s := newSite(t)
	s.json("GET /api/job/900.json", jobJSON(`,"jobParameters":[]`))
	c := s.client("")
	for name, change := range map[string]func(*client.JobChange) error{
		"said so":    func(*client.JobChange) error { return client.ErrNoChange },
		"equal":      func(j *client.JobChange) error { j.Progress = 0; return nil },
		"ask first":  func(j *client.JobChange) error { return fmt.Errorf("better not: %w", client.ErrNoChange) },
		"equal text": func(j *client.JobChange) error { j.Comment = ""; return nil },
	} {
		if job, err := c.UpdateJob(t.Context(), 900, change); err != nil || job.ID != 900 {
			t.Errorf("%s: %v", name, err)
		}
	}
	own := errors.New("own")
	if _, err := c.UpdateJob(t.Context(), 900, func(*client.JobChange) error { return own }); !errors.Is(err, own) {
		t.Errorf("%v", err)
	}
	for _, r := range s.came() {
		if !strings.HasPrefix(r, "GET ") {
			t.Errorf("sent %s", r)
		}
	}
}

func TestSurvives06ListsArePagedAndLight(t *testing.T) {
	path := jobsPath(client.JobFilter{Project: 42, Algorithms: []client.ID{7, 8}})
	for _, want := range []string{"project=42", "software=7%2C8", "withJobParameters=false", "max=100", "offset=0", "sort=created", "order=desc"} {
		if !strings.Contains(path, want) {
			t.Errorf("%s lacks %s", path, want)
		}
	}
	options, err := newSite(t).client("").optionsPath(client.OptionQuery{URI: "/api/job.json?project=$currentProject$", Project: client.Project{ID: 42}})
	if err != nil || options != "/api/job.json?project=42&withJobParameters=false" {
		t.Errorf("%s, %v", options, err)
	}
}

func TestSurvives07AllStatesAreKnown(t *testing.T) {
	for status := client.NotLaunched; status <= client.Killed; status++ {
		job, err := jobOf([]byte(fmt.Sprintf(`{"id":1,"status":%d}`, status)))
		if err != nil || job.Status != status || job.Status.String() == "unknown" {
			t.Errorf("%d: %v, %v", status, job.Status, err)
		}
	}
	if job, err := jobOf([]byte(`{"id":1,"status":99}`)); err != nil || job.Status.String() != "unknown" || job.Status.Ended() {
		t.Errorf("99: %v, %v", job.Status, err)
	}
}

func TestSurvives08EqualNumbersAreTwoJobs(t *testing.T) {
	s := newSite(t)
	s.json("/api/job.json", `{"collection":[{"id":1,"number":3,"software":7},{"id":2,"number":3,"software":8}],"size":2}`)
	page, err := s.client("").Jobs(t.Context(), client.JobFilter{})
	if err != nil || len(page.Jobs) != 2 || page.Jobs[0].ID == page.Jobs[1].ID {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestSurvives09NothingIsExecutedByTheServer(t *testing.T) {
	s := newSite(t)
	s.json("POST /api/job.json", `{"job":`+jobJSON(`,"jobParameters":[]`)+`}`)
	if _, err := s.client("").CreateJob(t.Context(), client.NewJob{Project: 42, Algorithm: 7}); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.came() {
		if strings.Contains(r, "execute") {
			t.Errorf("sent %s", r)
		}
	}
}

func TestSurvives10VersionsAreKeptAsWritten(t *testing.T) {
	var w wireSoftware
	mustJSON(t, `{"id":7,"name":"Demo","softwareVersion":"v1.10","deprecated":null}`, &w)
	if a := w.algorithm(); a.Version != "v1.10" || a.Deprecated || a.FullName() != "Demo (v1.10)" {
		t.Errorf("%+v", a)
	}
	mustJSON(t, `{"id":7,"name":"Demo","softwareVersion":1.1,"deprecated":"True"}`, &w)
	if a := w.algorithm(); a.Version != "1.1" || !a.Deprecated {
		t.Errorf("%+v", a)
	}
}

func TestSurvives11And12ForbiddenAndNotFoundAreToldApart(t *testing.T) {
	s := newSite(t)
	s.answer("/api/job/1.json", 403, "text/json", `{"errors":{"message":"You are not allowed to do this!"}}`)
	s.answer("/api/job/2.json", 404, "text/json", `{"errors":{"message":"Job not found with id : 2"}}`)
	s.answer("/api/job/3.json", 404, "text/html", `<html><title>404</title>`)
	s.answer("POST /api/job.json", 403, "text/json", `{"errors":{"message":"The project is read-only"}}`)
	c := s.client("")
	for id, want := range map[client.ID]error{1: client.ErrForbidden, 2: client.ErrNotFound, 3: client.ErrNotFound} {
		if _, err := c.Job(t.Context(), id); !errors.Is(err, want) || client.Transient(err) {
			t.Errorf("job %d: %v", id, err)
		}
	}
	if _, err := c.CreateJob(t.Context(), client.NewJob{Project: 42, Algorithm: 7}); !errors.Is(err, client.ErrForbidden) || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("%v", err)
	}
}

func TestSurvives13LimitsOfTextColumns(t *testing.T) {
	s := newSite(t)
	var sent struct{ StatusComment string }
	s.mux.HandleFunc("POST /api/job.json", func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"job":`+jobJSON(`,"jobParameters":[]`)+`}`)
	})
	c := s.client("")
	_, err := c.CreateJob(t.Context(), client.NewJob{Project: 42, Algorithm: 7, Parameters: []client.NewJobParameter{{Parameter: 101, Value: strings.Repeat("é", 5001)}}})
	var long *ValueTooLongError
	if !errors.As(err, &long) || long.Length != 5001 || long.Parameter != 101 || !errors.Is(err, client.ErrInvalid) {
		t.Errorf("%v", err)
	}
	if n := len(s.came()); n != 0 {
		t.Errorf("%d requests for a value that does not fit", n)
	}
	if _, err := c.CreateJob(t.Context(), client.NewJob{Project: 42, Algorithm: 7, Comment: strings.Repeat("é", 300)}); err != nil {
		t.Fatal(err)
	}
	if got := []rune(sent.StatusComment); len(got) != 255 {
		t.Errorf("a comment of %d characters", len(got))
	}
	job, err := jobOf([]byte(jobJSON(`,"jobParameters":[{"id":1,"name":"a","value":null},{"id":2,"name":"b","value":""},{"id":3,"name":"c","value":5}]`)))
	if err != nil {
		t.Fatal(err)
	}
	if p := job.Parameters; p[0].Value != nil || p[1].Value == nil || *p[1].Value != "" || *p[2].Value != "5" {
		t.Errorf("%+v", p)
	}
}

func TestSurvives14KeysAreMasked(t *testing.T) {
	secrets := `,"jobParameters":[
		{"id":1,"name":"cytomine_private_key","value":"s3cret"},{"id":2,"name":"PublicKey","value":"s3cret"},
		{"id":3,"name":"Cytomine_Public_Key","value":"s3cret"},{"id":4,"name":"privateKey","value":"s3cret"},
		{"id":5,"name":"cytomine_host","value":"https://x"},{"id":6,"name":"PRIVATE_KEY","value":null}]`
	s := newSite(t)
	s.json("/api/job.json", `{"collection":[`+jobJSON(secrets)+`],"size":1}`)
	s.json("/api/job/900.json", jobJSON(""))
	s.json("/api/job/900/parameter.json", `{"collection":[{"id":1,"name":"cytomine_private_key","value":"s3cret"}],"size":1}`)
	c := s.client("")
	page, err := c.Jobs(t.Context(), client.JobFilter{WithParameters: true})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := c.Job(t.Context(), 900)
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range []client.Job{page.Jobs[0], alone} {
		all, err := json.Marshal(job)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(all), "s3cret") {
			t.Errorf("a key came through: %s", all)
		}
		if !strings.Contains(string(all), masked) {
			t.Errorf("nothing masked: %s", all)
		}
	}
	if p := page.Jobs[0].Parameters; *p[4].Value != "https://x" || p[5].Value != nil {
		t.Errorf("%+v", p)
	}
}

func TestSurvives14LogIsAbsentOrHuge(t *testing.T) {
	s := newSite(t)
	s.json("/api/domain/be.cytomine.processing.Job/1/attachedfile.json", `{"collection":[{"id":8,"filename":"other.txt"}],"size":1}`)
	s.json("/api/domain/be.cytomine.processing.Job/2/attachedfile.json", `{"collection":[{"id":11,"filename":"log.out"},{"id":10,"filename":"log.out"}],"size":2}`)
	const size = 80 << 20 // more than an answer that is read as a whole may have
	s.mux.HandleFunc("/api/attachedfile/11/download", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html") // a log may be taken for a page
		line := []byte("\x1b[31m" + strings.Repeat("x", 1018) + "\n")
		for sent := 0; sent < size; sent += len(line) {
			w.Write(line)
		}
	})
	c := s.client("")
	if _, err := c.JobLog(t.Context(), 1); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("%v", err)
	}
	log, err := c.JobLog(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if n, err := io.Copy(io.Discard, log); n != size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestSurvives16NoOntology(t *testing.T) {
	s := newSite(t)
	err := s.client("").Options(t.Context(), client.OptionQuery{URI: "/api/ontology/$currentOntology$/term.json", Project: client.Project{ID: 42, Name: "lung"}}, nil)
	if err == nil || !strings.Contains(err.Error(), `project "lung" has no ontology`) {
		t.Errorf("%v", err)
	}
	if n := len(s.came()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestSurvives16BlindProjectsHaveNoFilenames(t *testing.T) {
	option := optionOf([]byte(`{"id":3,"instanceFilename":null,"blindedName":"IMAGE_3","width":10}`), new(client.FieldPacker))
	if _, ok := option.Fields.Lookup("instanceFilename"); ok || option.Fields.Get("blindedName") != "IMAGE_3" || option.Fields.Get("width") != "10" {
		t.Errorf("%+v", option)
	}
}

func TestSurvives17EqualIndexesAreOrderedByID(t *testing.T) {
	var wire []wireParameter
	mustJSON(t, `[{"id":9,"name":"d","index":100},{"id":3,"name":"b","index":"100"},{"id":4,"name":"c","index":100},{"id":8,"name":"a","index":0}]`, &wire)
	var order string
	for _, p := range parametersOf(wire) {
		order += p.ID
	}
	if order != "abcd" {
		t.Errorf("order %s", order)
	}
}

func TestParameterIsReadWithItsDefaults(t *testing.T) {
	var wire []wireParameter
	mustJSON(t, `[
		{"id":1,"name":"sigma","type":"Number","defaultParamValue":" 1.50 ","required":false,"humanName":null,"commandLineFlag":"--sigma","valueKey":null},
		{"id":2,"name":"mask","type":"boolean","defaultParamValue":"True","required":true,"valueKey":"[MASK]"},
		{"id":3,"name":"odd","type":"Matrix","defaultParamValue":"","required":null},
		{"id":4,"name":"bad","type":"Number","defaultParamValue":"many"}]`, &wire)
	p := parametersOf(wire)
	if p[0].Type != descriptor.Number || *p[0].Default != "1.5" || !p[0].Optional || p[0].ValueKey != "[SIGMA]" || p[0].Flag != "--sigma" {
		t.Errorf("%+v", p[0])
	}
	if p[1].Type != descriptor.Boolean || *p[1].Default != "true" || p[1].Optional {
		t.Errorf("%+v", p[1])
	}
	if p[2].RawType != "Matrix" || p[2].Default != nil || !p[2].Optional {
		t.Errorf("%+v", p[2])
	}
	if *p[3].Default != "many" {
		t.Errorf("%+v", p[3])
	}
}
