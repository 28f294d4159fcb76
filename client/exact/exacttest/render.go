package exacttest

import (
	"encoding/json"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// tree is one of ?fields=, ?omit= and ?expand=, dotted names opened.
type tree map[string]tree

func parseTree(q url.Values, name string) tree {
	if !q.Has(name) {
		return nil
	}
	t := tree{}
	for _, path := range strings.Split(q.Get(name), ",") {
		at := t
		for _, part := range strings.Split(path, ".") {
			if at[part] == nil {
				at[part] = tree{}
			}
			at = at[part]
		}
	}
	return t
}

// view is how rows are to be written: what drf-flex-fields makes of a query.
type view struct {
	fields, omit, expand tree
	media                string // scheme and host before the path of a file
}

func (v view) below(name string) view {
	f := v.fields[name]
	if len(f) == 0 {
		f = nil
	}
	return view{fields: f, omit: v.omit[name], expand: v.expand[name], media: v.media}
}

func (v view) wants(name string) bool {
	if v.fields != nil {
		if _, ok := v.fields[name]; !ok {
			return false
		}
	}
	o, ok := v.omit[name]
	return !ok || len(o) > 0
}

func (v view) opens(s *schema, name string) bool {
	if !strings.Contains(s.expands, " "+name+" ") {
		return false
	}
	_, one := v.expand[name]
	_, all := v.expand["~all"]
	return one || all
}

// write appends a row as JSON.
func (st store) write(b []byte, t *table, r *row, v view) []byte {
	b = append(b, '{')
	first := true
	for i := range t.columns {
		c := &t.columns[i]
		if !v.wants(c.name) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '"')
		b = append(b, c.name...)
		b = append(b, '"', ':')
		b = st.writeColumn(b, t, r, i, v)
	}
	return append(b, '}')
}

func (st store) writeColumn(b []byte, t *table, r *row, i int, v view) []byte {
	c := &t.columns[i]
	value := r.v[i]
	switch c.kind {
	case back:
		value = st.pointing(c.to, c.via, r.id)
	case backOne:
		value = nil
		if ids := st.pointing(c.to, c.via, r.id); len(ids) > 0 {
			value = ids[0]
		}
	case file:
		if s, ok := value.(string); ok {
			return appendString(b, v.media+s)
		}
	}
	if to := st[c.to]; to != nil && v.opens(t.schema, c.name) {
		sub := v.below(c.name)
		switch value := value.(type) {
		case int:
			if o := to.byID[value]; o != nil {
				return st.write(b, to, o, sub)
			}
			return append(b, "null"...)
		case []int:
			b = append(b, '[')
			for n, id := range value {
				if n > 0 {
					b = append(b, ',')
				}
				b = st.write(b, to, to.byID[id], sub)
			}
			return append(b, ']')
		}
	}
	return appendValue(b, value)
}

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			b = strconv.AppendFloat(b, v, 'f', -1, 64)
			return append(b, ".0"...)
		}
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		return appendString(b, v)
	case time.Time:
		b = append(b, '"')
		b = append(b, naive(v)...)
		return append(b, '"')
	case json.RawMessage:
		return append(b, v...)
	case []int:
		b = append(b, '[')
		for i, n := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(n), 10)
		}
		return append(b, ']')
	}
	enc, err := json.Marshal(v)
	if err != nil {
		panic(err) // a value that the fake made itself
	}
	return append(b, enc...)
}

func appendString(b []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f || s[i] == '"' || s[i] == '\\' || s[i] == '<' || s[i] == '>' || s[i] == '&' {
			plain = false
			break
		}
	}
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	enc, _ := json.Marshal(s)
	return append(b, enc...)
}
