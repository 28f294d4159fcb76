package exacttest

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scoped is the filters of the resources that django-filter serves: column,
// column__contains, column__in, column__gte and column__lte. A choice that
// does not exist is a 400; anything unknown is ignored.
func (c *call) scoped(t *table, q url.Values) (func(*row) bool, *answer) {
	var tests []func(*row) bool
	for param := range q {
		text := q.Get(param)
		if text == "" {
			continue
		}
		name, op, _ := strings.Cut(param, "__")
		if param == "image__image_set" && t.name == "annotations" {
			set, _ := strconv.Atoi(text)
			tests = append(tests, func(r *row) bool {
				im := c.s.st["images"].byID[t.target(r, "image")]
				return im != nil && c.s.st["images"].target(im, "image_set") == set
			})
			continue
		}
		if test := c.virtual(t, param, text); test != nil {
			tests = append(tests, test)
			continue
		}
		at := t.col(name)
		if at < 0 {
			continue
		}
		col := &t.columns[at]
		if bad := c.badChoice(t, col, text, op); bad != nil {
			return nil, bad
		}
		if col.kind == flag && op == "" {
			want, ok := map[string]bool{"True": true, "1": true, "False": false, "0": false}[text]
			if !ok {
				a := c.crash("258", "ValidationError")
				return nil, &a
			}
			tests = append(tests, func(r *row) bool { return r.v[at] == want })
			continue
		}
		if test := compare(t, col, at, op, text); test != nil {
			tests = append(tests, test)
		}
	}
	return all(tests), nil
}

// virtual filters are on things that are no column of the table.
func (c *call) virtual(t *table, param, text string) func(*row) bool {
	n, _ := strconv.Atoi(text)
	switch t.name + "." + param {
	case "image_sets.product":
		at := t.at["product_set"]
		return func(r *row) bool { return slices.Contains(targets(r.v[at]), n) }
	case "products.imagesets", "image_sets.images", "products.annotationtype":
		col := map[string]string{"imagesets": "imagesets", "images": "images", "annotationtype": "annotationtype_set"}[param]
		b := t.columns[t.at[col]]
		return func(r *row) bool { return slices.Contains(c.s.st.pointing(b.to, b.via, r.id), n) }
	case "annotations.vector_type":
		return func(r *row) bool {
			kinds := c.s.st["annotation_types"]
			k := kinds.byID[t.target(r, "annotation_type")]
			return k != nil && kinds.get(k, "vector_type") == n
		}
	case "annotation_types.active":
		return func(*row) bool { return true } // every type of the fake is active
	}
	return nil
}

func (c *call) badChoice(t *table, col *column, text, op string) *answer {
	if op != "" {
		return nil
	}
	bad := func(recording, message string) *answer {
		b := appendString([]byte{'{'}, col.name)
		b = append(appendString(append(b, `:[`...), message), ']', '}')
		return &answer{recording: recording, status: 400, allow: onList, body: b}
	}
	switch {
	case t.name == "image_sets" && col.name == "team":
		id, err := strconv.Atoi(text)
		if err != nil || c.s.st["teams"].byID[id] == nil {
			return bad("168", "Select a valid choice. That choice is not one of the available choices.")
		}
	case col.name == "image_type" && !slices.Contains([]string{"0", "1", "2"}, text):
		return bad("181", fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", text))
	}
	return nil
}

// compare returns nil for what the server does not know to compare.
func compare(t *table, col *column, at int, op, text string) func(*row) bool {
	switch op {
	case "in":
		var ids []string
		for part := range strings.SplitSeq(text, ",") {
			ids = append(ids, strings.TrimSpace(part))
		}
		return func(r *row) bool { return slices.Contains(ids, plain(r.v[at])) }
	case "contains":
		return func(r *row) bool { s, _ := r.v[at].(string); return strings.Contains(s, text) }
	case "gte", "lte":
		limit, err := parseMoment(text)
		if col.kind != moment || err != nil {
			return nil
		}
		return func(r *row) bool {
			v, ok := r.v[at].(time.Time)
			return ok && (op == "gte" && !v.Before(limit) || op == "lte" && !v.After(limit))
		}
	case "":
		if col.kind == back || col.kind == links {
			return nil
		}
		return func(r *row) bool { return plain(r.v[at]) == text }
	}
	return nil
}

func plain(v any) string {
	switch v := v.(type) {
	case int:
		return strconv.Itoa(v)
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		return naive(v)
	}
	return ""
}
