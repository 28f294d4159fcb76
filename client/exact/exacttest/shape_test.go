package exacttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func compareHeaders(r recording, got http.Header, fail func(string, ...any)) {
	for _, name := range []string{"Content-Type", "Vary", "Location", "X-Frame-Options", "X-Content-Type-Options", "Content-Language"} {
		if got.Get(name) != r.header(name) {
			fail("%s %q, recorded %q", name, got.Get(name), r.header(name))
		}
	}
	sorted := func(s string) []string {
		l := strings.Split(s, ", ")
		slices.Sort(l)
		return l
	}
	if !slices.Equal(sorted(got.Get("Allow")), sorted(r.header("Allow"))) {
		fail("Allow %q, recorded %q", got.Get("Allow"), r.header("Allow"))
	}
	if has := strings.HasPrefix(r.header("Set-Cookie"), "sessionid"); has != (got.Get("Set-Cookie") != "") {
		fail("Set-Cookie %q, recorded %q", got.Get("Set-Cookie"), r.header("Set-Cookie"))
	}
	if (got.Get("Content-Disposition") == "") != (r.header("Content-Disposition") == "") {
		fail("Content-Disposition %q, recorded %q", got.Get("Content-Disposition"), r.header("Content-Disposition"))
	}
}

// volatile values differ each time: only their kind is compared.
var volatile = map[string]bool{"token": true, "prefix": true, "unixtime": true, "last_login": true, "last_used_at": true}

func isVolatile(name string, want any) bool {
	s, ok := want.(string)
	return volatile[name] || ok && (strings.HasSuffix(name, "_time") || strings.HasSuffix(name, "_at") && name != "expires_at" || name == "time" ||
		name == "unique_identifier" && !strings.HasPrefix(s, "11111111") && !strings.HasPrefix(s, "22222222"))
}

// differs is where got is not what was recorded, or "".
func differs(at string, got, want any) string {
	name := at[strings.LastIndex(at, ".")+1:]
	switch want := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %T, recorded an object", at, got)
		}
		if strings.HasSuffix(at, "users/users") || at == "" && want["users/users"] != nil {
			return "" // the root's list of resources: the fake has some of them
		}
		for k := range want {
			if _, ok := g[k]; !ok {
				return at + "." + k + " is missing"
			}
		}
		for _, k := range slices.Sorted(maps.Keys(g)) {
			if _, ok := want[k]; !ok {
				return at + "." + k + " was not recorded"
			}
			if d := differs(at+"."+k, g[k], want[k]); d != "" {
				return d
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(want) {
			return fmt.Sprintf("%s is %v, recorded %v", at, got, want)
		}
		if name == "results" && len(want) > 1 || name == "members" {
			sortByID(g)
			sortByID(want)
		}
		for i := range g {
			if d := differs(fmt.Sprintf("%s[%d]", at, i), g[i], want[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if isVolatile(name, want) {
		if name == "last_login" || name == "last_used_at" { // nobody logs in to the fake's pages
			return ""
		}
		if reflect.TypeOf(got) != reflect.TypeOf(want) {
			return fmt.Sprintf("%s is %v, recorded %v", at, got, want)
		}
		return ""
	}
	if s, ok := want.(string); ok && strings.Contains(s, "://127.0.0.1") {
		return differsURL(at, got, s)
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("%s is %v, recorded %v", at, got, want)
	}
	return ""
}

// differsURL compares two addresses but for the host, and for the name that a
// stored file got.
func differsURL(at string, got any, want string) string {
	g, ok := got.(string)
	a, err1 := url.Parse(g)
	b, err2 := url.Parse(want)
	if !ok || err1 != nil || err2 != nil || a.Host == "" || a.Scheme != b.Scheme || a.RawQuery != b.RawQuery {
		return fmt.Sprintf("%s is %v, recorded %v", at, got, want)
	}
	if !strings.HasPrefix(a.Path, "/media/") && a.Path != b.Path {
		return fmt.Sprintf("%s is %v, recorded %v", at, got, want)
	}
	return ""
}

// sortByID takes the order out of lists; that of jobs is tested on its own.
func sortByID(l []any) {
	slices.SortStableFunc(l, func(a, b any) int {
		return int(idOf(a) - idOf(b))
	})
}

func idOf(v any) float64 {
	if m, ok := v.(map[string]any); ok {
		v = m["id"]
	}
	n, _ := v.(float64)
	return n
}

// checkNamed holds an answer against the recording that it names: the same
// status and kind, and no key or kind of value that was not recorded.
func checkNamed(t *testing.T, all map[string]recording, r Request) {
	t.Helper()
	rec, ok := all[r.Recording]
	if !ok {
		t.Errorf("%s %s names recording %q, which does not exist", r.Method, r.Path, r.Recording)
		return
	}
	if rec.Response.Status != r.Status {
		t.Errorf("%s %s?%s: status %d, but %s has %d", r.Method, r.Path, r.Query, r.Status, r.Recording, rec.Response.Status)
	}
	if len(r.body) == 0 {
		return
	}
	var got any
	if json.Unmarshal(r.body, &got) != nil {
		t.Errorf("%s %s: no JSON: %s", r.Method, r.Path, r.body)
		return
	}
	if path := unrecorded(got, kinds(all, resource(rec.Request.Path), r.Status == 400)); path != "" {
		t.Errorf("%s %s?%s: %s is in no answer like %s", r.Method, r.Path, r.Query, path, r.Recording)
	}
}

// resource is a path without ids and query.
func resource(path string) string {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	return strings.Join(parts[:min(len(parts), 4)], "/")
}

var kindCache = map[string]map[string]bool{}

// kinds are the keys, with the kinds of their values, of every recorded answer
// of a resource, or of all where a 400 names fields.
func kinds(all map[string]recording, of string, any400 bool) map[string]bool {
	if any400 {
		of = ""
	}
	if k := kindCache[of]; k != nil {
		return k
	}
	k := map[string]bool{"last_login null": true} // 018: of users anywhere
	for _, r := range all {
		if of == "" || resource(r.Request.Path) == of {
			var body any
			if json.Unmarshal(r.Response.Body, &body) == nil {
				walk(body, func(key string, v any) bool { k[key+" "+kindOf(v)] = true; return true })
			}
		}
	}
	kindCache[of] = k
	return k
}

func kindOf(v any) string {
	if v == nil {
		return "null"
	}
	return reflect.TypeOf(v).Kind().String()
}

func unrecorded(got any, known map[string]bool) string {
	found := ""
	walk(got, func(key string, v any) bool {
		if !known[key+" "+kindOf(v)] && found == "" {
			found = key + " " + kindOf(v)
		}
		return found == ""
	})
	return found
}

// walk visits every key but those below free JSON.
func walk(v any, visit func(string, any) bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, sub := range v {
			if !visit(k, sub) {
				return
			}
			if k != "vector" && k != "meta_data" {
				walk(sub, visit)
			}
		}
	case []any:
		for _, sub := range v {
			walk(sub, visit)
		}
	}
}
