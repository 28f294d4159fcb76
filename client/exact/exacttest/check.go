package exacttest

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// faultsOf collects what a serializer says of each field, in the order of columns.
type faultsOf struct {
	names []string
	says  map[string]string
}

func (f *faultsOf) add(name, message string) {
	if f.says == nil {
		f.says = map[string]string{}
	}
	f.names = append(f.names, name)
	f.says[name] = message
}

func (f *faultsOf) answer(recording, allow string) answer {
	b := []byte{'{'}
	for i, n := range f.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, n)
		b = append(appendString(append(b, `:[`...), f.says[n]), ']')
	}
	return answer{recording: recording, status: 400, allow: allow, body: append(b, '}')}
}

const required = "This field is required."

// check turns what was sent into values for columns, and back ids for those
// that re-parent. partial is a PATCH: what is not sent is not asked for.
func (c *call) check(t *table, in input, partial bool) (values map[int]any, parents map[int][]int, bad faultsOf) {
	values, parents = map[int]any{}, map[int][]int{}
	for i := range t.columns {
		col := &t.columns[i]
		if col.name == "id" || col.fixed {
			continue
		}
		v, sent := in.value[col.name]
		if col.kind == file {
			if up, ok := in.files[col.name]; ok {
				if !picture(up.data) {
					bad.add(col.name, "Upload a valid image. The file you uploaded was either not an image or a corrupted image.")
				}
				values[i] = up
			} else if !partial {
				bad.add(col.name, "No file was submitted.")
			}
			continue
		}
		if !sent {
			asks := col.need && !(col.kind == links && in.form) || col.kind == backOne || col.kind == back && !(in.form && col.optional)
			if asks && !partial {
				bad.add(col.name, required)
			}
			continue
		}
		if in.form && (col.kind == links || col.kind == back) {
			v = in.many[col.name]
		}
		if v == nil && !col.null || in.form && v == "" && col.kind == backOne {
			bad.add(col.name, "This field may not be null.")
			continue
		}
		value, say := c.value(col, v)
		switch {
		case say != "":
			bad.add(col.name, say)
		case col.kind == back:
			parents[i] = value.([]int)
		default:
			values[i] = value
		}
	}
	return values, parents, bad
}

// value is one checked value, or what is wrong with it.
func (c *call) value(col *column, v any) (any, string) {
	if v == nil {
		return nil, ""
	}
	str, isText := v.(string)
	if n, ok := v.(json.Number); ok {
		str = n.String()
	}
	switch col.kind {
	case whole:
		n, err := strconv.Atoi(str)
		if err != nil {
			return nil, "A valid integer is required."
		}
		return n, ""
	case number:
		f, err := strconv.ParseFloat(str, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, "A valid number is required."
		}
		return f, ""
	case text, email, address:
		if !isText && str == "" {
			return nil, "Not a valid string."
		}
		switch {
		case col.max > 0 && utf8.RuneCountInString(str) > col.max:
			return nil, fmt.Sprintf("Ensure this field has no more than %d characters.", col.max)
		case col.kind == email && !strings.Contains(str, "@"):
			return nil, "Enter a valid email address."
		case col.kind == address && !strings.Contains(str, "://"):
			return nil, "Enter a valid URL."
		}
		return str, ""
	case flag:
		if b, ok := v.(bool); ok {
			return b, ""
		}
		if i := slices.Index([]string{"true", "True", "1", "false", "False", "0"}, str); i >= 0 {
			return i < 3, ""
		}
		return nil, "Must be a valid boolean."
	case moment:
		t, err := parseMoment(str)
		if err != nil {
			return nil, "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
		}
		return t, ""
	case document:
		if isText && json.Valid([]byte(str)) && strings.HasPrefix(strings.TrimSpace(str), "{") {
			return json.RawMessage(str), "" // a form's
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, "Value must be valid JSON."
		}
		return json.RawMessage(raw), ""
	case link, backOne:
		id, err := strconv.Atoi(str)
		if err != nil {
			return nil, "Incorrect type. Expected pk value, received str."
		}
		if to := c.s.st[col.to]; to == nil || to.byID[id] == nil {
			return nil, fmt.Sprintf(`Invalid pk "%d" - object does not exist.`, id)
		}
		return id, ""
	case links, back:
		list, ok := v.([]any)
		if !ok {
			return nil, `Expected a list of items but got type "` + fmt.Sprintf("%T", v) + `".`
		}
		ids := []int{}
		for _, one := range list {
			id, say := c.value(&column{kind: link, to: col.to}, one)
			if say != "" {
				return nil, say
			}
			ids = append(ids, id.(int))
		}
		return ids, ""
	}
	return nil, ""
}

// picture knows PNG, JPEG and TIFF by their first bytes.
func picture(b []byte) bool {
	for _, magic := range []string{"\x89PNG", "\xff\xd8\xff", "II*\x00", "MM\x00*"} {
		if strings.HasPrefix(string(b[:min(len(b), 4)]), magic) {
			return true
		}
	}
	return false
}
