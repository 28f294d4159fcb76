package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// object is a JSON object of a request. Its readers are as lenient as the
// original: numbers and booleans may be strings, the string "null" is null, and
// a number that cannot be read silently becomes the default.
type object map[string]any

// parseBody reads a request body: one object, or an array of objects, in which
// case list is true. An empty body is an empty object.
func parseBody(r io.Reader) (objs []object, list bool, err error) {
	dec := json.NewDecoder(r)
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			return []object{{}}, false, nil
		}
		return nil, false, err
	}
	switch v := v.(type) {
	case map[string]any:
		return []object{v}, false, nil
	case []any:
		objs = make([]object, 0, len(v))
		for i, e := range v {
			m, ok := e.(map[string]any)
			if !ok {
				return nil, true, fmt.Errorf("element %d is no object", i)
			}
			objs = append(objs, m)
		}
		return objs, true, nil
	}
	return nil, false, errors.New("the body is neither an object nor an array")
}

// text returns the value as the original's toString would, false for null.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", false
	case string:
		return v, v != "null"
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return "", false
	}
	return strings.TrimSuffix(b.String(), "\n"), true
}

// str returns the attribute as text, false when absent or null.
func (o object) str(name string) (string, bool) { return text(o[name]) }

// long returns the attribute as an integer, or def.
func (o object) long(name string, def int64) int64 {
	if n, ok := o.longOK(name); ok {
		return n
	}
	return def
}

// longOK returns the attribute as an integer, false when absent, null or no integer.
func (o object) longOK(name string) (int64, bool) {
	s, ok := o.str(name)
	if !ok {
		return 0, false
	}
	return parseLong(s)
}

// parseLong reads an integer as Long.parseLong does, and also 5.0, which is what
// a Python program sends after a division.
func parseLong(s string) (int64, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// doubleOK returns the attribute as a finite number, false when it is none.
func (o object) doubleOK(name string) (float64, bool) {
	s, ok := o.str(name)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// boolOK returns the attribute as a boolean by the rule of Java's parseBoolean:
// "true" in any case is true, everything else is false. The second result is
// false when the attribute is absent or null.
func (o object) boolOK(name string) (value, ok bool) {
	s, ok := o.str(name)
	return ok && parseBoolean(s), ok
}

func parseBoolean(s string) bool { return strings.EqualFold(s, "true") }

// list returns the attribute as a list of integers: a JSON array, one number, or
// a string with an array or comma separated numbers in it. What is no integer is
// left out.
func (o object) list(name string) []int64 {
	var out []int64
	add := func(v any) {
		if s, ok := text(v); ok {
			if n, ok := parseLong(strings.TrimSpace(s)); ok {
				out = append(out, n)
			}
		}
	}
	switch v := o[name].(type) {
	case nil:
	case []any:
		for _, e := range v {
			add(e)
		}
	case string:
		for _, s := range strings.Split(strings.Trim(v, "[] "), ",") {
			add(s)
		}
	default:
		add(v)
	}
	return out
}
