package exact

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzTimes: whatever the server writes for a time is none, or one that reads the
// same again.
func FuzzTimes(f *testing.F) {
	for _, s := range []string{"2026-11-20T12:44:56.445631", "2026-11-20T12:51:00", "2026-10-25T02:30:00", "2026-03-29T02:30:00", "2026-11-20T12:51:00+01:00", "0000-00-00T00:00:00", "T", "9999-12-31T23:59:59.9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k := clockAt(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
		got := k.instant(s)
		k.observe(s, "Fri, 20 Nov 2026 11:43:49 GMT")
		if got.IsZero() || got.Year() > 9999 {
			return
		}
		k = clockAt(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
		again := k.instant(k.naive(got))
		// Aware input may mean the first of an hour that comes twice.
		if d := again.Sub(got).Abs(); d >= time.Microsecond && d.Round(time.Second) != time.Hour {
			t.Fatalf("%q is %v, written again %v", s, got, again)
		}
	})
}

// FuzzPage: no page of a list, however broken, panics, and none that is cut is taken
// for whole.
func FuzzPage(f *testing.F) {
	f.Add(`{"count":2,"next":"http://x/?offset=1","previous":null,"results":[{"id":1},{"id":2}]}`)
	f.Add(`{"results":[],"count":0}`)
	f.Add(`{"count":1e99,"results":null}`)
	f.Add(`[{"id":1}]`)
	f.Fuzz(func(t *testing.T, page string) {
		rows := 0
		_, err := readPage(strings.NewReader(page), func(raw []byte) error {
			rows++
			var w wireJob
			_ = json.Unmarshal(raw, &w)
			return nil
		})
		if whole, _, ok := strings.Cut(page, "}"); err == nil && (!ok || rows > 0 && !strings.Contains(whole, "{")) {
			t.Fatalf("%q was read with %d rows", page, rows)
		}
		stop := errors.New("stop")
		_, stopped := readPage(strings.NewReader(page), func([]byte) error { return stop })
		if refused := (rowError{}); rows > 0 && (!errors.As(stopped, &refused) || refused.error != stop) {
			t.Fatalf("%q: the caller's error became %v", page, stopped)
		}
	})
}

// FuzzErrorBody: whatever an error says becomes one line.
func FuzzErrorBody(f *testing.F) {
	for _, s := range []string{`{"detail":"No Image matches"}`, `{"job":["already exists."],"x":["a","b"]}`, `{"non_field_errors":["bad"]}`, `[]`, `{"Error":"e"}`, `<html>`, `{"a":{"b":["c"]}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		said := serverMessage([]byte(body))
		if strings.ContainsAny(said, "\n\r\x1b\x00") || len([]rune(said)) > 300 {
			t.Fatalf("%q became %q", body, said)
		}
		for _, status := range []int{301, 400, 403, 404, 500} {
			_ = kindOf(status, said)
		}
	})
}

// FuzzLocalName: every name of an image is one file in one folder.
func FuzzLocalName(f *testing.F) {
	for _, s := range []string{"a.png", "../x", `a\b`, "", "..", ".", "-rf", "a\x00b", strings.Repeat("é", 300) + ".tiff", "attachment; filename=a.png", "image.", " . "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, name := range []string{localName(s), localName(sentName("attachment; filename=" + s)), localName(sentName(`attachment; filename="` + s + `"`))} {
			if name == "" || name != filepath.Base(name) || !filepath.IsLocal(name) || name == "." || name == ".." ||
				strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") || len(name) > 255 || strings.ContainsAny(name, "/\\\x00\n\x1b") {
				t.Fatalf("%q became %q", s, name)
			}
		}
	})
}

// FuzzUnpack: whatever is in an archive, nothing lies outside of the folder, and
// nothing in it where it was refused.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte("junk"), "slide.mrxs", "x")
	f.Add(archive(f, [2]string{"slide/a", "1"}, [2]string{"slide.mrxs", "2"}), "slide.mrxs", "../evil")
	f.Add([]byte{}, "slide.mrxs", "slide/../../../evil")
	f.Fuzz(func(t *testing.T, raw []byte, first, second string) {
		outside := t.TempDir()
		dir := filepath.Join(outside, "a", "b")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		var named bytes.Buffer
		w := zip.NewWriter(&named)
		for _, name := range []string{first, second} {
			if to, err := w.Create(name); err == nil {
				_, _ = to.Write([]byte("x"))
			}
		}
		_ = w.Close()
		for _, data := range [][]byte{raw, named.Bytes()} {
			path, err := unpack(bytes.NewReader(data), int64(len(data)), "slide.mrxs", dir)
			if err == nil {
				if rel, relErr := filepath.Rel(dir, path); relErr != nil || !filepath.IsLocal(rel) {
					t.Fatalf("it is at %s", path)
				}
			} else if left := len(files(t, dir)); left != 0 {
				t.Fatalf("%d files are left after %v", left, err)
			}
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if left := len(files(t, outside)); left != 0 {
				t.Fatalf("%d files lie outside", left)
			}
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzVector: what is read of a vector is written as the same again.
func FuzzVector(f *testing.F) {
	for _, s := range []string{`{"x1":1,"y1":2,"x2":3.5,"y2":4}`, `null`, `{"x1":1}`, `{"x10":1,"y10":1}`, `{"x1":1,"y1":2,"x01":3,"y01":4}`, `"garbage"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var v Vector
		if json.Unmarshal([]byte(s), &v) != nil {
			return
		}
		written, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var again Vector
		if err := json.Unmarshal(written, &again); err != nil || len(again) != len(v) {
			t.Fatalf("%s became %s, then %v", s, written, again)
		}
		for i := range v {
			if v[i] != again[i] {
				t.Fatalf("%s became %v, then %v", s, v, again)
			}
		}
		_, _ = v.area(v.form(0)), v.wkt(v.form(0), 100)
	})
}

// FuzzMark: meta data of anybody is no mark, or one that is written the same.
func FuzzMark(f *testing.F) {
	f.Add(`{"cytorun":{"job":5,"run":"r1"},"x":1}`)
	f.Add(`{"cytorun":null}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, s string) {
		m, ok := MarkOf(json.RawMessage(s))
		if !ok {
			return
		}
		raw, err := json.Marshal(map[string]any{"cytorun": m, "other": true})
		if err != nil {
			t.Fatal(err)
		}
		if again, ok := MarkOf(raw); !ok || again != m && strings.ToValidUTF8(m.Run, "\uFFFD") != again.Run {
			t.Fatalf("%+v became %+v", m, again)
		}
	})
}
