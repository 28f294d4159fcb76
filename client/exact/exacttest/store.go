package exacttest

import "slices"

// row is one line of a table. Its values are int, float64, string, bool,
// time.Time (a naive time, in UTC), []int, json.RawMessage or nil.
type row struct {
	id int
	v  []any
}

func (r *row) copy() *row { return &row{id: r.id, v: slices.Clone(r.v)} }

// table keeps rows in the order of their ids, and for every column that points
// elsewhere who points at whom.
type table struct {
	*schema
	rows  []*row
	byID  map[int]*row
	last  int
	point map[string]map[int][]int // column -> id pointed at -> ids of rows here, ascending
}

type store map[string]*table

func newStore() store {
	st := store{}
	for name, s := range schemas {
		t := &table{schema: s, byID: map[int]*row{}, point: map[string]map[int][]int{}}
		for _, c := range s.columns {
			if c.kind == link || c.kind == links {
				t.point[c.name] = map[int][]int{}
			}
		}
		st[name] = t
	}
	return st
}

func (t *table) get(r *row, name string) any { return r.v[t.at[name]] }

// id of the row that r points at with that column, or 0.
func (t *table) target(r *row, name string) int {
	id, _ := t.get(r, name).(int)
	return id
}

func (t *table) blank() *row {
	r := &row{v: make([]any, len(t.columns))}
	for i, c := range t.columns {
		switch {
		case c.value != nil:
			r.v[i] = c.value
		case c.kind == links:
			r.v[i] = []int{}
		}
	}
	return r
}

// put stores r as it is, new or in place of the row with its id. As a save in
// Django does, it brings back a row that was deleted since it was read.
func (t *table) put(r *row) {
	if r.id == 0 {
		t.last++
		r.id = t.last
	}
	t.last = max(t.last, r.id)
	r.v[t.at["id"]] = r.id
	old := t.byID[r.id]
	at, found := slices.BinarySearchFunc(t.rows, r.id, func(a *row, id int) int { return a.id - id })
	if found {
		t.rows[at] = r
	} else {
		t.rows = slices.Insert(t.rows, at, r)
	}
	t.byID[r.id] = r
	t.repoint(old, r)
}

func (t *table) remove(id int) {
	old := t.byID[id]
	if old == nil {
		return
	}
	delete(t.byID, id)
	if at, found := slices.BinarySearchFunc(t.rows, id, func(a *row, id int) int { return a.id - id }); found {
		t.rows = slices.Delete(t.rows, at, at+1)
	}
	t.repoint(old, nil)
}

func (t *table) repoint(old, now *row) {
	for name, who := range t.point {
		at := t.at[name]
		var was, is []int
		if old != nil {
			was = targets(old.v[at])
		}
		if now != nil {
			is = targets(now.v[at])
		}
		if slices.Equal(was, is) {
			continue
		}
		for _, id := range was {
			if i, ok := slices.BinarySearch(who[id], old.id); ok {
				who[id] = slices.Delete(who[id], i, i+1)
			}
		}
		for _, id := range is {
			if i, ok := slices.BinarySearch(who[id], now.id); !ok {
				who[id] = slices.Insert(who[id], i, now.id)
			}
		}
	}
}

func targets(v any) []int {
	switch v := v.(type) {
	case int:
		return []int{v}
	case []int:
		return v
	}
	return nil
}

// pointing returns the ids of the rows of a table that point at id.
func (st store) pointing(table, column string, id int) []int {
	t := st[table]
	if t == nil {
		return nil
	}
	return t.point[column][id]
}

// removeJob deletes a job as the API does: its result stays, without a job.
func (st store) removeJob(id int) {
	results := st["pluginresults"]
	for _, r := range slices.Clone(st.pointing("pluginresults", "job", id)) {
		row := results.byID[r].copy()
		row.v[results.at["job"]] = nil
		results.put(row)
	}
	st["pluginjobs"].remove(id)
}

// removeResult deletes a result with all that hangs on it.
func (st store) removeResult(id int) {
	for _, e := range slices.Clone(st.pointing("pluginresultentrys", "pluginresult", id)) {
		for _, leaf := range []string{"pluginresultannotations", "pluginresultbitmaps"} {
			for _, a := range slices.Clone(st.pointing(leaf, "pluginresultentry", e)) {
				st[leaf].remove(a)
			}
		}
		st["pluginresultentrys"].remove(e)
	}
	st["pluginresults"].remove(id)
}

func (st store) removeAny(table string, id int) {
	switch table {
	case "pluginjobs":
		st.removeJob(id)
	case "pluginresults":
		st.removeResult(id)
	case "pluginresultentrys":
		for _, leaf := range []string{"pluginresultannotations", "pluginresultbitmaps"} {
			for _, a := range slices.Clone(st.pointing(leaf, "pluginresultentry", id)) {
				st[leaf].remove(a)
			}
		}
		st[table].remove(id)
	default:
		st[table].remove(id)
	}
}
