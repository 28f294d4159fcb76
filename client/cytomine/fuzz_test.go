package cytomine

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
)

// FuzzJob: whatever a server sends as a job is read without a panic, keeps no
// key, and an update of it keeps every field.
func FuzzJob(f *testing.F) {
	f.Add(jobJSON(`,"jobParameters":[{"id":1,"name":"private_key","value":"s"},{"id":2,"value":null}]`))
	f.Add(`{"id":"7","status":"x","created":[],"jobParameters":{}}`)
	f.Add(`{"job":{"id":1}}`)
	f.Add(`{"id":1e400,"progress":-1e309,"jobParameters":[null,5]}`)
	f.Fuzz(func(t *testing.T, text string) {
		raw := unwrap([]byte(text), "job")
		job, err := jobOf(raw)
		if err != nil {
			return
		}
		for _, p := range job.Parameters {
			if isSecret(p.Name) && p.Value != nil && *p.Value != masked {
				t.Fatalf("a key in %+v", p)
			}
		}
		body, err := changed(raw, client.JobChange{}, client.JobChange{Status: 2, Progress: 5, Comment: "c"})
		if err != nil {
			return
		}
		var before, after map[string]json.RawMessage
		if json.Unmarshal(raw, &before) != nil || json.Unmarshal(body, &after) != nil {
			t.Fatalf("%s became %s", raw, body)
		}
		for name, value := range before {
			if name == "status" || name == "progress" || name == "statusComment" {
				continue
			}
			var was, is bytes.Buffer
			if json.Compact(&was, value) != nil || json.Compact(&is, after[name]) != nil {
				t.Fatalf("%s: %s became %s", name, value, after[name])
			}
			var a, b any
			if json.Unmarshal(value, &a) == nil && json.Unmarshal(after[name], &b) == nil && !strings.ContainsRune(was.String(), 0xFFFD) {
				one, _ := json.Marshal(a)
				two, _ := json.Marshal(b)
				if !bytes.Equal(one, two) {
					t.Fatalf("%s: %s became %s", name, value, after[name])
				}
			}
		}
	})
}

// FuzzSoftware: whatever a server sends as an algorithm is read without a
// panic, and its parameters come in order.
func FuzzSoftware(f *testing.F) {
	f.Add(`{"id":7,"name":"Demo","softwareVersion":"v1","executeCommand":"singularity run a-v1.simg python run.py [X]","pullingCommand":"singularity pull --name a docker://u/a:v1",
		"parameters":[{"id":1,"index":100,"name":"x","type":"Number","defaultParamValue":"1"}]}`)
	f.Add(`{"parameters":[{"type":"ListDomain","defaultParamValue":[1,2]},{"defaultParamValue":true,"type":"Boolean"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var w wireSoftware
		if json.Unmarshal([]byte(text), &w) != nil {
			return
		}
		a := w.algorithm()
		for i := 1; i < len(a.Parameters); i++ {
			if a.Parameters[i-1].Index > a.Parameters[i].Index {
				t.Fatalf("%+v", a.Parameters)
			}
		}
	})
}

// FuzzServerMessage: whatever a server sends as an error becomes one short
// clean line.
func FuzzServerMessage(f *testing.F) {
	f.Add([]byte(`{"errors":{"message":"x"}}`))
	f.Add([]byte(`{"errors":[["a"],{"errors":"b\u001b[0m"}]}`))
	f.Add([]byte("<html><title>a\nb</title>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, line := range []string{serverMessage(body), pageTitle(body)} {
			if strings.ContainsAny(line, "\n\r\x1b\x00\u0085\u2028") || len([]rune(line)) > 300 {
				t.Fatalf("%q", line)
			}
		}
	})
}

// FuzzRows: no list makes the reader panic or hang, and rows are valid JSON.
func FuzzRows(f *testing.F) {
	f.Add(`{"collection":[{"id":1},{"id":"2"}],"size":"2","totalPages":1.0}`)
	f.Add(`[{"id":1},null]`)
	f.Add(`{"size":{},"collection":[]}`)
	f.Fuzz(func(t *testing.T, text string) {
		_, err := readRows(strings.NewReader(text), func(raw []byte) error {
			if !json.Valid(raw) {
				t.Fatalf("%q", raw)
			}
			rowID(raw)
			return nil
		})
		if err == nil && strings.TrimSpace(text) == "" {
			t.Fatal("a list out of nothing")
		}
	})
}
