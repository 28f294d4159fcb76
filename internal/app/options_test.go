package app

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/bench"
)

func collect(t *testing.T, s *Session, p descriptor.Parameter) ([]client.Option, error) {
	t.Helper()
	var all []client.Option
	err := s.Options(t.Context(), p, func(o []client.Option) error { all = append(all, o...); return nil })
	return all, err
}

func TestOptionsAreKeptForWhenTheServerIsAway(t *testing.T) {
	s := newFixedSite(t, map[string]string{"/api/project/42/term.json": `{"collection":[{"id":7,"name":"Cell"},{"id":8,"name":"Stroma"}],"size":2}`})
	p := descriptor.Parameter{ID: "term", Type: descriptor.Domain, URI: "/api/project/$currentProject$/term.json"}
	if _, ok, err := s.CachedOptions(p, nil); ok || err != nil {
		t.Fatalf("before anything was asked: %v, %v", ok, err)
	}
	online, err := collect(t, s.Session, p)
	if err != nil || len(online) != 2 || s.OptionsAge(p) != 0 {
		t.Fatalf("%v, %v", online, err)
	}

	// Three hours later and in another start, before it has connected.
	later := time.Now().Add(3 * time.Hour)
	s.Env.Now = func() time.Time { return later }
	s.Close()
	away, err := s.Env.open(s.Profile, s.keys)
	if err != nil {
		t.Fatal(err)
	}
	away.Profile.Project = 42
	var kept []client.Option
	age, ok, err := away.CachedOptions(p, func(o []client.Option) error { kept = append(kept, o...); return nil })
	if !ok || err != nil || age < 2*time.Hour || !same(kept, online) {
		t.Errorf("kept %v, %v, %v, %v", kept, age, ok, err)
	}
	away.Project = s.Project
	offline, err := collect(t, away, p)
	if err != nil || !same(offline, online) || away.OptionsAge(p) < 2*time.Hour {
		t.Errorf("offline %v, %v, age %v", offline, err, away.OptionsAge(p))
	}
	other := p
	other.URI = "/api/other.json"
	if _, err := collect(t, away, other); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("a list that was never asked for: %v", err)
	}
	away.Project.ID = 43
	if _, ok, _ := away.CachedOptions(p, nil); ok {
		t.Error("the list of one project is given for another one")
	}
}

func TestAServerThatRefusesIsNotAway(t *testing.T) {
	p := descriptor.Parameter{ID: "term", Type: descriptor.Domain, URI: "/api/term.json"}
	s := newFixedSite(t, map[string]string{"/api/term.json": `[{"id":7}]`})
	if _, err := collect(t, s.Session, p); err != nil {
		t.Fatal(err)
	}
	delete(s.answers, "/api/term.json")
	s.RefreshOptions(p)
	if _, err := collect(t, s.Session, p); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestAFileOfOptionsThatIsNotWholeIsNoList(t *testing.T) {
	s := newFixedSite(t, map[string]string{"/api/term.json": `[{"id":7,"name":"Cell","x":"` + string(bytes.Repeat([]byte("y"), 300)) + `"}]`})
	p := descriptor.Parameter{ID: "term", Type: descriptor.Domain, URI: "/api/term.json"}
	if _, err := collect(t, s.Session, p); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(s.Env.Paths.Cache, "answers", "*"))
	if len(files) != 1 {
		t.Fatalf("files are %v", files)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range [][]byte{nil, []byte("x"), whole[:30], whole[:len(whole)-1], append(bytes.Clone(whole), 1)} {
		if err := os.WriteFile(files[0], broken, 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		_, ok, err := s.CachedOptions(p, func(o []client.Option) error { n += len(o); return nil })
		if ok && err == nil {
			t.Errorf("%d of %d bytes are taken for a list", len(broken), len(whole))
		}
	}
}

func FuzzReadOptions(f *testing.F) {
	var b bytes.Buffer
	if err := writeOptions(&b, manyOptions(3)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(optionsFormat + "\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var all []client.Option
		err := readOptions(bufio.NewReader(bytes.NewReader(data)), func(o []client.Option) error { all = append(all, o...); return nil })
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := writeOptions(&again, all); err != nil {
			t.Fatal(err)
		}
		var back []client.Option
		if err := readOptions(bufio.NewReader(&again), func(o []client.Option) error { back = append(back, o...); return nil }); err != nil || !same(back, all) {
			t.Fatalf("%v comes back as %v, %v", all, back, err)
		}
	})
}

// same compares options by what they say, not by how they are packed.
func same(a, b []client.Option) bool {
	return slices.EqualFunc(a, b, func(x, y client.Option) bool { return x.ID == y.ID && maps.Equal(x.Fields.Map(), y.Fields.Map()) })
}

func manyOptions(n int) []client.Option {
	var pack client.FieldPacker
	options := make([]client.Option, n)
	for i := range options {
		for k := range 30 {
			pack.Add(fmt.Appendf(nil, "attribute%d", k), fmt.Appendf(nil, "value %d of %d", k, i))
		}
		options[i] = client.Option{ID: client.ID(1000 + i), Fields: pack.Fields()}
	}
	return options
}

// BenchmarkKeepOptions measures what keeping 100,000 options of 30 fields costs.
func BenchmarkKeepOptions(b *testing.B) {
	options := manyOptions(100_000)
	var file bytes.Buffer
	for b.Loop() {
		file.Reset()
		began := time.Now()
		if err := writeOptions(&file, options); err != nil {
			b.Fatal(err)
		}
		bench.Report(b, "options/keep-100k", float64(time.Since(began).Microseconds())/1000, "ms", 500, true)
		began = time.Now()
		first := time.Duration(0)
		err := readOptions(bufio.NewReader(bytes.NewReader(file.Bytes())), func([]client.Option) error {
			if first == 0 {
				first = time.Since(began)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		bench.Report(b, "options/kept-first-rows", float64(first.Microseconds())/1000, "ms", 100, true)
		bench.Report(b, "options/kept-all-100k", float64(time.Since(began).Microseconds())/1000, "ms", 2000, true)
	}
}
