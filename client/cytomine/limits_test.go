package cytomine

import (
	"archive/zip"
	"bytes"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

func pointer(s string) *string { return &s }

func TestConstraintsAreReadByNameAndNeverEvaluated(t *testing.T) {
	s := newSite(t)
	s.json("/api/parameter_constraint.json", `{"collection":[
		{"id":1,"name":"integer","dataType":"Number"},{"id":2,"name":"minimum","expression":"value <= parameterConstraintValue"},
		{"id":3,"name":"Maximum"},{"id":4,"name":"in"},{"id":5,"name":"equals"},{"id":6,"name":"shoe size"}],"size":6}`)
	limits := "/api/software_parameter/%d/software_parameter_constraint.json"
	for id, body := range map[string]string{
		"11": `[{"id":1,"parameterConstraint":2,"value":"0"},{"id":2,"parameterConstraint":3,"value":10.5},{"id":3,"parameterConstraint":1,"value":"true"}]`,
		"12": `[{"id":4,"parameterConstraint":4,"value":"[otsu, oil (1.515)]"},{"id":5,"parameterConstraint":6,"value":"44"}]`,
		"13": `[{"id":6,"parameterConstraint":4,"value":"1.0ð2ðx"}]`,
		"14": `[{"id":7,"parameterConstraint":5,"value":"only"},{"id":8,"parameterConstraint":{"id":2},"value":null}]`,
		"15": `[]`,
		"16": `[{"id":9,"parameterConstraint":99,"value":"1"},"x",{"id":10}]`,
	} {
		s.json(strings.ReplaceAll(limits, "%d", id), `{"collection":`+body+`,"size":3}`)
	}
	var ps []client.Parameter
	for id, typ := range []descriptor.Type{descriptor.Number, descriptor.String, descriptor.Number, descriptor.String, descriptor.String, descriptor.Number} {
		ps = append(ps, client.Parameter{ServerID: client.ID(11 + id), Parameter: descriptor.Parameter{ID: "p", Type: typ}})
	}
	ps = append(ps, client.Parameter{ServerID: 17, Parameter: descriptor.Parameter{ID: "cytomine_host"}})
	got, err := s.client("").Limits(t.Context(), ps)
	want := map[client.ID]client.Limits{
		11: {Minimum: pointer("0"), Maximum: pointer("10.5"), Integer: true},
		12: {Choices: []string{"otsu", "oil (1.515)"}},
		13: {Choices: []string{"1", "2"}},
		14: {Choices: []string{"only"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, r := range s.came() {
		if strings.Contains(r, "evaluate") || strings.Contains(r, "/17/") {
			t.Errorf("asked %s", r)
		}
	}
}

func TestAServerWithoutConstraintsIsAskedOnce(t *testing.T) {
	s := newSite(t)
	s.json("/api/parameter_constraint.json", `{"collection":[],"size":0}`)
	got, err := s.client("").Limits(t.Context(), []client.Parameter{{ServerID: 11}, {ServerID: 12}})
	if err != nil || len(got) > 0 || len(s.came()) != 1 {
		t.Errorf("%v, %v, %v", got, err, s.came())
	}
}

func zipped(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = f.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheDescriptorIsReadFromTheSourceOfAnAlgorithm(t *testing.T) {
	s := newSite(t)
	s.answer("/api/software/7/download", 200, "application/zip", zipped(t,
		"app/run.py", "print()", "app/tests/x/descriptor.json", "deep", "__MACOSX/descriptor.json", "x", "app/descriptor.json", `{"name": "x"}`))
	data, err := s.client("").AlgorithmDescriptor(t.Context(), 7)
	if err != nil || string(data) != `{"name": "x"}` {
		t.Errorf("%q, %v", data, err)
	}
}

func TestASourceWithoutDescriptorIsNotFound(t *testing.T) {
	bomb := zipped(t, "descriptor.json", strings.Repeat(" ", maxDescriptor+1))
	for name, add := range map[string]func(*site){
		"an old server":     func(*site) {},
		"a web page":        func(s *site) { s.answer("/api/software/7/download", 200, "text/html", "<html>") },
		"no source":         func(s *site) { s.answer("/api/software/7/download", 404, "application/json", `{"errors":"x"}`) },
		"not for everybody": func(s *site) { s.answer("/api/software/7/download", 403, "application/json", `{"errors":"x"}`) },
		"an empty zip":      func(s *site) { s.answer("/api/software/7/download", 200, "application/zip", zipped(t)) },
		"a cut zip": func(s *site) {
			s.answer("/api/software/7/download", 200, "application/zip", zipped(t, "descriptor.json", "{}")[:40])
		},
		"a large descriptor": func(s *site) { s.answer("/api/software/7/download", 200, "application/zip", bomb) },
		"a large source": func(s *site) {
			s.mux.HandleFunc("/api/software/7/download", func(w http.ResponseWriter, _ *http.Request) {
				for range maxSource/(1<<20) + 2 {
					if _, err := w.Write(make([]byte, 1<<20)); err != nil {
						return
					}
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			add(s)
			data, err := s.client("").AlgorithmDescriptor(t.Context(), 7)
			if !errors.Is(err, client.ErrNotFound) || data != nil {
				t.Errorf("%q, %v", data, err)
			}
		})
	}
}

func TestAServerThatFailsIsNoServerWithoutSource(t *testing.T) {
	s := newSite(t)
	s.answer("/api/software/7/download", 500, "text/html", "<html>oops</html>")
	if _, err := s.client("").AlgorithmDescriptor(t.Context(), 7); err == nil || errors.Is(err, client.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
