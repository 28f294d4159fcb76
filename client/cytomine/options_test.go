package cytomine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
)

var lung = client.Project{ID: 42, Name: "lung", Ontology: 9, Created: time.UnixMilli(1581500000000)}

func TestOptionsPath(t *testing.T) {
	options := quick
	options.Now = func() time.Time { return time.UnixMilli(1700000000000) }
	c, err := New(profile.Profile{URL: "https://lab.example/cyto"}, testKeys, options)
	if err != nil {
		t.Fatal(err)
	}
	for uri, want := range map[string]string{
		"/api/ontology/$currentOntology$/term.json":                          "/api/ontology/9/term.json",
		"/api/project/$currentProject$/imageinstance.json":                   "/api/project/42/imageinstance.json",
		"/api/project/$currentProject$/imageinstance.json?withoutLabel=true": "/api/project/42/imageinstance.json?withoutLabel=true",
		"/api/job.json?project=$currentProject$":                             "/api/job.json?project=42&withJobParameters=false",
		"/api/job.json?withJobParameters=true":                               "/api/job.json?withJobParameters=true",
		"/api/job.json":                                                      "/api/job.json?withJobParameters=false",
		"/api/annotation.json?project=$currentProject$&x=$currentProject$":   "/api/annotation.json?project=42&x=42",
		"project/$currentProject$/term.json":                                 "/api/project/42/term.json",
		"$cytomineHost$/api/term.json":                                       "/api/term.json",
		"https://lab.example/cyto/api/term.json":                             "/api/term.json",
		"/api/x.json?from=$currentProjectCreationDate$&to=$currentDate$":     "/api/x.json?from=1581500000000&to=1700000000000",
		" /api/a b.json ":                                                    "/api/a%20b.json",
	} {
		got, err := c.optionsPath(client.OptionQuery{URI: uri, Project: lung})
		if err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", uri, got, err, want)
		}
	}
	for uri, want := range map[string]string{
		"":                                  "names no list",
		"/api/job.json?job=$softwareName$":  "$softwareName$",
		"https://evil.example/api/x.json":   "another server",
		"//evil.example/api/x.json":         "another server",
		"https://lab.example/api/term.json": "another server", // not below our path
		"https://lab.example.evil/cyto/x":   "another server",
		"javascript:alert(1)":               "another server",
		"/api/%zz.json":                     "not an address",
		"/api/\x1b[31m.json":                "not an address",
	} {
		_, err := c.optionsPath(client.OptionQuery{URI: uri, Project: lung})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", uri, err, want)
			continue
		}
		oneClearLine(t, err)
	}
}

func collect(t *testing.T, c *Client, uri string) (all []client.Option, pages int) {
	t.Helper()
	err := c.Options(t.Context(), client.OptionQuery{URI: uri, Project: lung}, func(page []client.Option) error {
		all = append(all, page...)
		pages++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, pages
}

// Servers differ in what they do with max and offset, and in the envelope.
func TestOptionsComeWholeFromEveryKindOfServer(t *testing.T) {
	const total = 5200
	page := func(r *http.Request, most int) (offset, n int) {
		limit, _ := strconv.Atoi(r.URL.Query().Get("max"))
		offset, _ = strconv.Atoi(r.URL.Query().Get("offset"))
		return offset, max(0, min(limit, most, total-offset))
	}
	servers := map[string]http.HandlerFunc{
		"pages": func(w http.ResponseWriter, r *http.Request) {
			offset, n := page(r, total)
			fmt.Fprintf(w, `{"collection":%s,"offset":%d,"perPage":%d,"size":%d,"totalPages":3.0}`, rowsJSON(1+offset, n), offset, n, total)
		},
		"pages, size only": func(w http.ResponseWriter, r *http.Request) {
			offset, n := page(r, total)
			fmt.Fprintf(w, `{"size":"%d","collection":%s}`, total, rowsJSON(1+offset, n))
		},
		"pages, smaller than asked for": func(w http.ResponseWriter, r *http.Request) {
			offset, n := page(r, 700)
			fmt.Fprintf(w, `{"collection":%s,"size":%d}`, rowsJSON(1+offset, n), total)
		},
		"pages without a size": func(w http.ResponseWriter, r *http.Request) {
			offset, n := page(r, total)
			fmt.Fprintf(w, `{"collection":%s}`, rowsJSON(1+offset, n))
		},
		"everything at once": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"collection":%s,"size":%d}`, rowsJSON(1, total), total)
		},
		"everything as an array": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, rowsJSON(1, total))
		},
		"a list that grows at its front meanwhile": func(w http.ResponseWriter, r *http.Request) {
			offset, n := page(r, total)
			if offset > 0 {
				offset -= 3
			}
			fmt.Fprintf(w, `{"collection":%s,"size":%d}`, rowsJSON(1+offset, n), total)
		},
	}
	for name, handler := range servers {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.mux.HandleFunc("/api/term.json", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				handler(w, r)
			})
			all, pages := collect(t, s.client(""), "/api/term.json")
			ids := map[client.ID]bool{}
			for _, option := range all {
				ids[option.ID] = true
			}
			least := total
			if strings.Contains(name, "grows") {
				least -= 3 // what moved behind the end is seen the next time
			}
			if len(all) != len(ids) || len(ids) < least || pages < 10 {
				t.Errorf("%d options, %d of them different, in %d parts", len(all), len(ids), pages)
			}
			if all[0].Fields.Get("name") != "row 1" {
				t.Errorf("%+v", all[0])
			}
		})
	}
}

func TestOptionsResumeAfterABrokenPage(t *testing.T) {
	s := newSite(t)
	broken := false
	s.mux.HandleFunc("/api/term.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if !broken {
			broken = true
			io.WriteString(w, `{"collection":[`+strings.Trim(rowsJSON(1, 1500), "[]"))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(w, `{"collection":%s,"size":1600}`, rowsJSON(1, 1600))
	})
	if all, _ := collect(t, s.client(""), "/api/term.json"); len(all) != 1600 {
		t.Errorf("%d options", len(all))
	}
}

func TestOptionsStopWhenTheCallerDoes(t *testing.T) {
	s := newSite(t)
	s.json("/api/term.json", `{"collection":`+rowsJSON(1, 3000)+`,"size":3000}`)
	enough := errors.New("seen enough")
	pages := 0
	err := s.client("").Options(t.Context(), client.OptionQuery{URI: "/api/term.json"}, func([]client.Option) error {
		pages++
		return enough
	})
	if !errors.Is(err, enough) || pages != 1 {
		t.Errorf("%v after %d pages", err, pages)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = s.client("").Options(ctx, client.OptionQuery{URI: "/api/term.json"}, func([]client.Option) error {
		cancel()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestListsThatAreNone(t *testing.T) {
	for body, want := range map[string]error{
		`{"errors":"x"}`:           client.ErrUnreachable,
		`{"collection":{"a":1}}`:   client.ErrUnreachable,
		`"text"`:                   client.ErrUnreachable,
		``:                         client.ErrUnreachable,
		`{"collection":[{"id":1}`:  client.ErrUnreachable,
		`{"collection":[{"id":1}]`: client.ErrUnreachable,
		`<html>`:                   client.ErrUnauthorised,
	} {
		s := newSite(t)
		s.json("/api/project.json", body)
		if _, err := s.client("").Projects(t.Context()); !errors.Is(err, want) {
			t.Errorf("%s: %v", body, err)
		} else {
			oneClearLine(t, err)
		}
	}
	s := newSite(t)
	s.json("/api/project.json", `{"collection":[null,5,"x",[],{"name":"no id"},{"id":null},{"id":7,"name":"one"}],"size":7}`)
	if projects, err := s.client("").Projects(t.Context()); err != nil || len(projects) != 1 || projects[0].ID != 7 {
		t.Errorf("%+v, %v", projects, err)
	}
}

func TestProjectsAreSortedByName(t *testing.T) {
	s := newSite(t)
	s.json("/api/project.json", `{"collection":[{"id":1,"name":"beta"},{"id":2,"name":"Alpha"},{"id":3,"name":"alpha","ontology":null,"isReadOnly":"true","numberOfImages":"12","created":"1581503400000"}],"size":3}`)
	projects, err := s.client("").Projects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if projects[0].ID != 2 || projects[1].ID != 3 || projects[2].ID != 1 {
		t.Errorf("%+v", projects)
	}
	if p := projects[1]; p.Ontology != 0 || !p.ReadOnly || p.Images != 12 || p.Created.UnixMilli() != 1581503400000 {
		t.Errorf("%+v", p)
	}
}

// imageRow is a row as a server sends it for an image.
func imageRow(id int) string {
	return fmt.Sprintf(`{"class":"be.cytomine.image.ImageInstance","id":%d,"created":"1581503400000","updated":null,"deleted":null,
"baseImage":%d,"project":42,"user":5,"instanceFilename":"slide-%06d.ndpi","originalFilename":"slide-%06d.ndpi","filename":"1581503400000/slide.ndpi",
"blindedName":null,"path":"/data/images/1581503400000/slide.ndpi","width":98304,"height":65536,"resolution":0.2273,"magnification":40,"depth":9.0,
"thumb":"https://lab.example/api/imageinstance/%d/thumb.png?maxSize=512","preview":"https://lab.example/api/imageinstance/%d/thumb.png?maxSize=1024",
"macroURL":"https://lab.example/api/abstractimage/%d/associated/macro.png","numberOfAnnotations":0,"numberOfJobAnnotations":12,"numberOfReviewedAnnotations":0,
"reviewStart":null,"reviewStop":null,"reviewUser":null,"reviewed":false,"inReview":false,"extension":"ndpi","mime":"openslide/ndpi","sample":null,
"fullPath":"/data/images/1581503400000/slide.ndpi","projectBlind":false,"projectName":"lung"}`, id, id+1, id, id, id, id, id)
}

// manyImages is a server with a list of n images that ignores max, as many
// lists do. sent counts the bytes of the last answer.
func manyImages(t *testing.T, n int) (c *Client, sent func() int64) {
	t.Helper()
	s := newSite(t)
	var bytes atomic.Int64
	s.mux.HandleFunc("/api/image.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		total := 0
		put := func(text string) {
			written, _ := io.WriteString(w, text)
			total += written
		}
		put(`{"collection":[` + imageRow(1))
		for i := 2; i <= n; i++ {
			put("," + imageRow(i))
		}
		put(fmt.Sprintf(`],"size":%d}`, n))
		bytes.Store(int64(total))
	})
	return s.client(""), bytes.Load
}

func TestManyOptionsStaySmall(t *testing.T) {
	const total = 10_000
	c, sent := manyImages(t, total)
	var kept []client.Option
	before := heap()
	err := c.Options(t.Context(), client.OptionQuery{URI: "/api/image.json"}, func(page []client.Option) error {
		kept = append(kept, page...)
		return nil
	})
	if err != nil || len(kept) != total {
		t.Fatalf("%d, %v", len(kept), err)
	}
	if grown := heap() - before; grown > 3*sent() {
		t.Errorf("%d bytes of JSON take %d bytes of memory", sent(), grown)
	}
	if kept[total-1].Fields.Get("instanceFilename") != "slide-010000.ndpi" {
		t.Errorf("%+v", kept[total-1])
	}
	runtime.KeepAlive(kept)
}

func TestOptionsOfASlowServerAreHandedOverWhileTheyArrive(t *testing.T) {
	s := newSite(t)
	seen := make(chan struct{})
	s.mux.HandleFunc("/api/image.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"collection":[`+imageRow(1))
		deadline := time.After(10 * time.Second)
		for i, early := 2, true; early; i++ {
			fmt.Fprint(w, ","+imageRow(i))
			w.(http.Flusher).Flush()
			select {
			case <-seen:
				early = false
			case <-deadline:
				t.Error("nothing was handed over before the list was complete")
				early = false
			case <-time.After(10 * time.Millisecond):
			}
		}
		fmt.Fprint(w, `],"size":0}`)
	})
	pages := 0
	err := s.client("").Options(t.Context(), client.OptionQuery{URI: "/api/image.json"}, func([]client.Option) error {
		if pages++; pages == 1 {
			close(seen)
		}
		return nil
	})
	if err != nil || pages == 0 {
		t.Errorf("%d pages, %v", pages, err)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// FuzzOption compares the scanner with encoding/json on everything that the
// decoder lets through.
func FuzzOption(f *testing.F) {
	f.Add(imageRow(7))
	f.Add(`{"id":"5","a\u0062":"x\n\"y\\","n":null,"t":true,"o":{"}":"{"},"l":["]",{}],"f":-1.5e3,"":""}`)
	f.Add(`{}`)
	f.Add(` { "a" : 1 , "a" : "2" } `)
	f.Fuzz(func(t *testing.T, text string) {
		raw := []byte(text)
		if !json.Valid(raw) {
			return
		}
		option := optionOf(raw, new(client.FieldPacker))
		var want map[string]json.RawMessage
		if json.Unmarshal(raw, &want) != nil {
			if len(option.Fields.Map()) != 0 {
				t.Fatalf("fields %v of no object", option.Fields)
			}
			return
		}
		for name, value := range want {
			switch value[0] {
			case '{', '[', 'n':
				continue
			}
			var expected string
			if json.Unmarshal(value, &expected) != nil {
				expected = string(value)
			}
			if strings.HasPrefix(expected, "http://") || strings.HasPrefix(expected, "https://") {
				continue
			}
			if got, ok := option.Fields.Lookup(name); strings.ToValidUTF8(got, "\uFFFD") != strings.ToValidUTF8(expected, "\uFFFD") || !ok {
				if strings.ToValidUTF8(name, "\uFFFD") != name || strings.Contains(name, "\uFFFD") {
					continue
				}
				t.Fatalf("%q: %q, want %q", name, got, expected)
			}
		}
	})
}
