package exacttest

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// visible says whether the caller's teams may see a row; jobs and results are
// not scoped at all.
func (c *call) visible(t *table, r *row, teams []int) bool {
	st := c.s.st
	inTeam := func(id int) bool { return slices.Contains(teams, id) }
	setTeam := func(image int) bool {
		im := st["images"].byID[image]
		if im == nil {
			return false
		}
		set := st["image_sets"].byID[st["images"].target(im, "image_set")]
		return set != nil && inTeam(st["image_sets"].target(set, "team"))
	}
	switch t.name {
	case "teams":
		return inTeam(r.id)
	case "users":
		ids, _ := t.get(r, "team_set").([]int)
		return slices.ContainsFunc(ids, inTeam)
	case "products", "image_sets":
		return inTeam(t.target(r, "team"))
	case "annotation_types":
		p := st["products"].byID[t.target(r, "product")]
		return p != nil && inTeam(st["products"].target(p, "team"))
	case "images":
		return setTeam(r.id)
	case "annotations":
		return setTeam(t.target(r, "image"))
	}
	return true
}

// list is the envelope of a page.
func (c *call) list(sch *schema) answer {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	rows, bad := c.find(sch)
	if bad != nil {
		return *bad
	}
	q := c.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit <= 0 {
		limit = 50
	}
	offset, err := strconv.Atoi(q.Get("offset"))
	if err != nil || offset < 0 {
		offset = 0
	}
	from := min(offset, len(rows))
	to := min(from+limit, len(rows))
	b := append([]byte(`{"count":`), strconv.Itoa(len(rows))...)
	b = append(b, `,"next":`...)
	b = c.link(b, q, limit, offset+limit, offset+limit < len(rows))
	b = append(b, `,"previous":`...)
	b = c.link(b, q, limit, offset-limit, offset > 0)
	b = append(b, `,"results":[`...)
	v := c.view()
	b = slices.Grow(b, (to-from)*64)
	for i, r := range rows[from:to] {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.s.st.write(b, c.s.st[sch.name], r, v)
	}
	return answer{recording: lists[sch.name], status: 200, allow: onList, body: append(b, ']', '}')}
}

// lists names the recording of each table's list; fields=, omit= and expand=
// shape it as in 139, 204, 310 and 311.
var lists = map[string]string{"users": "018", "teams": "020", "plugins": "029", "pluginjobs": "065", "pluginresults": "133",
	"pluginresultentrys": "132", "pluginresultannotations": "123", "pluginresultbitmaps": "131", "image_sets": "163", "images": "176",
	"products": "203", "annotation_types": "205", "annotations": "233"}

func (c *call) view() view {
	q := c.URL.Query()
	return view{fields: parseTree(q, "fields"), omit: parseTree(q, "omit"), expand: parseTree(q, "expand"), media: c.media}
}

func (c *call) link(b []byte, q url.Values, limit, offset int, there bool) []byte {
	if !there {
		return append(b, "null"...)
	}
	l := url.Values{}
	for k, v := range q {
		l[k] = v
	}
	l.Set("limit", strconv.Itoa(limit))
	l.Del("offset")
	if offset > 0 {
		l.Set("offset", strconv.Itoa(offset))
	}
	return appendString(b, c.media+c.path+"?"+l.Encode())
}

// find returns the rows that a query keeps, in the table's own order. The
// caller holds the lock.
func (c *call) find(sch *schema) ([]*row, *answer) {
	t := c.s.st[sch.name]
	teams := c.teams()
	keep, bad := c.filters(t)
	if bad != nil {
		return nil, bad
	}
	rows := make([]*row, 0, len(t.rows))
	for _, r := range t.rows {
		if keep(r) && c.visible(t, r, teams) {
			rows = append(rows, r)
		}
	}
	switch sch.name {
	case "pluginjobs", "pluginresults", "pluginresultentrys":
		at := t.at["created_time"]
		slices.SortStableFunc(rows, func(a, b *row) int {
			x, _ := a.v[at].(time.Time)
			y, _ := b.v[at].(time.Time)
			return y.Compare(x)
		})
	case "pluginresultannotations", "pluginresultbitmaps":
		slices.Reverse(rows)
	case "plugins":
		at := t.at["name"]
		slices.SortStableFunc(rows, func(a, b *row) int { return strings.Compare(b.v[at].(string), a.v[at].(string)) })
	case "images":
		if c.s.opt.Unordered && len(rows) > 1 {
			n := c.s.rotate() % len(rows)
			rows = append(slices.Clone(rows[n:]), rows[:n]...)
		}
	}
	return rows, nil
}

func (s *Server) rotate() int {
	s.log.Lock()
	defer s.log.Unlock()
	s.turn += 7
	return s.turn
}

// filters understands what the server does of a query and ignores the rest.
func (c *call) filters(t *table) (func(*row) bool, *answer) {
	q := c.URL.Query()
	var tests []func(*row) bool
	crash := func(recording, what string) (func(*row) bool, *answer) {
		a := c.crash(recording, what)
		return nil, &a
	}
	ints := map[string]string{}
	switch t.name {
	case "pluginjobs":
		ints = map[string]string{"image_id": "image", "user_id": "creator"}
		if q.Has("filter_ids") {
			var ids []int
			if json.Unmarshal([]byte("["+q.Get("filter_ids")+"]"), &ids) != nil {
				return crash("075", "JSONDecodeError")
			}
			tests = append(tests, func(r *row) bool { return slices.Contains(ids, r.id) })
		}
	case "pluginresults":
		ints = map[string]string{"image_id": "image", "job_id": "job", "plugin_id": "plugin"}
	case "pluginresultannotations":
		ints = map[string]string{"image": "image", "annotation_type": "annotation_type", "pluginresultentry": "pluginresultentry", "plugin": "plugin"}
	case "pluginresultbitmaps":
		ints = map[string]string{"image": "image"}
	case "plugins":
		if q.Has("imageset_from_image_id") {
			image, _ := strconv.Atoi(q.Get("imageset_from_image_id"))
			tests = append(tests, func(r *row) bool { return c.offered(r, image) })
		}
	case "pluginresultentrys":
	default:
		return c.scoped(t, q)
	}
	for name, column := range ints {
		if !q.Has(name) {
			continue
		}
		want, err := strconv.Atoi(q.Get(name))
		if err != nil {
			return crash("077", "ValueError")
		}
		at := t.at[column]
		tests = append(tests, func(r *row) bool { n, ok := r.v[at].(int); return ok && n == want })
	}
	return all(tests), nil
}

func all(tests []func(*row) bool) func(*row) bool {
	return func(r *row) bool {
		for _, ok := range tests {
			if !ok(r) {
				return false
			}
		}
		return true
	}
}

// offered: the plugin has a product in common with the image's set.
func (c *call) offered(plugin *row, image int) bool {
	st := c.s.st
	im := st["images"].byID[image]
	if im == nil {
		return false
	}
	set := st["image_sets"].byID[st["images"].target(im, "image_set")]
	mine, _ := st["plugins"].get(plugin, "products").([]int)
	theirs, _ := st["image_sets"].get(set, "product_set").([]int)
	return slices.ContainsFunc(mine, func(id int) bool { return slices.Contains(theirs, id) })
}
