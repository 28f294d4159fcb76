package embedded

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
)

func decode(t testing.TB, text string) object {
	t.Helper()
	objs, list, err := parseBody(strings.NewReader(text))
	if err != nil || list {
		t.Fatalf("%s: list %v, %v", text, list, err)
	}
	return objs[0]
}

func TestNumbersAreReadLeniently(t *testing.T) {
	for _, c := range []struct {
		json string
		want int64
	}{
		{`5`, 5}, {`"5"`, 5}, {`-7`, -7}, {`5.0`, 5}, {`"5.0"`, 5}, {`1e3`, 1000}, {`9223372036854775807`, math.MaxInt64},
		{`5.5`, -1}, {`""`, -1}, {`"x"`, -1}, {`null`, -1}, {`"null"`, -1}, {`true`, -1}, {`[5]`, -1}, {`1e300`, -1}, {`"NaN"`, -1},
	} {
		if got := decode(t, `{"a":`+c.json+`}`).long("a", -1); got != c.want {
			t.Errorf("%s: %d, want %d", c.json, got, c.want)
		}
	}
	if got := decode(t, `{}`).long("a", 3); got != 3 {
		t.Errorf("absent: %d", got)
	}
}

func TestBooleansFollowJava(t *testing.T) {
	for text, want := range map[string]bool{`true`: true, `"TRUE"`: true, `"true"`: true, `false`: false, `"yes"`: false, `1`: false, `"1"`: false} {
		if got, ok := decode(t, `{"a":`+text+`}`).boolOK("a"); got != want || !ok {
			t.Errorf("%s: %v %v", text, got, ok)
		}
	}
	if _, ok := decode(t, `{"a":null}`).boolOK("a"); ok {
		t.Error("null is not absent")
	}
}

func TestTextOfAnyValue(t *testing.T) {
	for text, want := range map[string]string{`"a"`: "a", `5`: "5", `0.50`: "0.50", `true`: "true", `[1, "<"]`: `[1,"<"]`, `{"b":1}`: `{"b":1}`, `""`: ""} {
		if got, ok := decode(t, `{"a":`+text+`}`).str("a"); got != want || !ok {
			t.Errorf("%s: %q %v, want %q", text, got, ok, want)
		}
	}
	if _, ok := decode(t, `{"a":"null"}`).str("a"); ok {
		t.Error(`"null" is not null`)
	}
}

func TestListsInEveryForm(t *testing.T) {
	for text, want := range map[string][]int64{`[1,"2",3.0,"x",null]`: {1, 2, 3}, `"1,2"`: {1, 2}, `"[1, 2]"`: {1, 2}, `7`: {7}, `null`: nil, `""`: nil} {
		if got := decode(t, `{"a":`+text+`}`).list("a"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestBodiesThatAreNoObject(t *testing.T) {
	for _, text := range []string{`5`, `"a"`, `[1]`, `{"a"`, `[{}`, `nonsense`} {
		if _, _, err := parseBody(strings.NewReader(text)); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
	if objs, list, err := parseBody(strings.NewReader("")); err != nil || list || len(objs) != 1 {
		t.Error("an empty body is no empty object")
	}
}

func FuzzCoerce(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `[{"a":"5"},{"a":[1,2]}]`, `{"a":{"b":null}}`, `{"a":1e999}`, `{"a":"null"}`, ``, `[]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		objs, _, err := parseBody(strings.NewReader(body))
		if err != nil {
			return
		}
		for _, o := range objs {
			for name := range o {
				s, ok := o.str(name)
				if n, isLong := o.longOK(name); isLong {
					if f, isDouble := o.doubleOK(name); !ok || !isDouble || math.Abs(f-float64(n)) > math.Abs(f)*1e-9 {
						t.Fatalf("%q: %d and %v (%q)", body, n, f, s)
					}
				}
				if f, isDouble := o.doubleOK(name); isDouble && (math.IsNaN(f) || math.IsInf(f, 0)) {
					t.Fatalf("%q: %v is no number", body, f)
				}
				o.boolOK(name)
				o.list(name)
			}
			if _, err := json.Marshal(o); err != nil {
				t.Fatalf("%q cannot be given back: %v", body, err)
			}
		}
	})
}
