package exacttest

import (
	"slices"
	"strconv"
	"time"
)

// one answers a single row.
func (c *call) one(sch *schema, id int) answer {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	t := c.s.st[sch.name]
	r := t.byID[id]
	if r == nil || !c.visible(t, r, c.teams()) {
		return c.none(sch, "107")
	}
	return answer{recording: ones[sch.name], status: 200, allow: onRow, body: c.s.st.write(nil, t, r, c.view())}
}

// ones and made name the recordings of one row and of a created one.
var (
	ones = map[string]string{"plugins": "038", "pluginjobs": "083", "pluginresults": "283", "pluginresultentrys": "145",
		"pluginresultannotations": "316", "pluginresultbitmaps": "131", "image_sets": "169", "images": "183", "annotations": "239",
		"users": "019", "teams": "020", "products": "204", "annotation_types": "205"}
	made = map[string]string{"plugins": "024", "pluginjobs": "325", "pluginresults": "110", "pluginresultentrys": "114",
		"pluginresultannotations": "115", "pluginresultbitmaps": "129", "image_sets": "173"}
	wrong = map[string]string{"plugins": "027", "pluginjobs": "047", "pluginresults": "109", "pluginresultentrys": "113",
		"pluginresultannotations": "121", "pluginresultbitmaps": "130", "image_sets": "174"}
)

// create is POST to a list.
func (c *call) create(sch *schema) answer {
	if sch.name == "annotations" {
		return c.createAnnotation()
	}
	if sch.name == "images" {
		return c.upload()
	}
	if made[sch.name] == "" {
		return c.notAllowed(onList)
	}
	in, bad := c.input()
	if bad != nil {
		return *bad
	}
	if in.items {
		return answer{recording: "117", status: 400, allow: onList, body: []byte(`{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`)}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t := c.s.st[sch.name]
	values, parents, faults := c.check(t, in, false)
	if sch.name == "pluginresults" && len(faults.names) == 0 {
		if job, _ := values[t.at["job"]].(int); job > 0 && len(c.s.st.pointing(t.name, "job", job)) > 0 {
			faults.add("job", "plugin result with this job already exists.")
			return faults.answer("111", onList)
		}
	}
	if len(faults.names) > 0 {
		return faults.answer(wrong[sch.name], onList)
	}
	r := t.blank()
	echo := -1
	for i := range t.columns { // in order: the path of a file holds the name before it
		v, ok := values[i]
		switch {
		case !ok:
		case t.columns[i].kind == backOne:
			echo = v.(int) // answered, and stored nowhere
		default:
			r.v[i] = c.store(t, r, i, v)
		}
	}
	c.stampNew(t, r)
	t.put(r)
	for i, ids := range parents {
		c.reparent(t, r.id, i, ids)
	}
	body := c.s.st.write(nil, t, r, c.view())
	if echo > 0 {
		body = slices.Replace(body, len(body)-len("null}"), len(body), []byte(strconv.Itoa(echo)+"}")...)
	}
	return answer{recording: made[sch.name], status: 201, allow: onList, body: body}
}

// store keeps an upload's bytes and returns what the column holds.
func (c *call) store(t *table, r *row, i int, v any) any {
	up, ok := v.(upload)
	if !ok {
		return v
	}
	path := "/media/plugins/" + plain(t.get(r, "name")) + "_None/" + up.name
	if t.name == "pluginresultbitmaps" {
		path = "/media/plugins/" + strconv.Itoa(t.last+1) + "/" + up.name
	}
	if _, taken := c.s.media[path]; taken {
		path += "_" + random(7)
	}
	c.s.media[path] = up.data
	return path
}

// stampNew fills what the server fills.
func (c *call) stampNew(t *table, r *row) {
	at := c.s.stamp()
	for i := range t.columns {
		if t.columns[i].kind == moment && r.v[i] == nil && !t.columns[i].null {
			r.v[i] = at
		}
	}
	switch t.name {
	case "pluginresultannotations", "pluginresultbitmaps":
		st := c.s.st
		if e := st["pluginresultentrys"].byID[t.target(r, "pluginresultentry")]; e != nil {
			if res := st["pluginresults"].byID[st["pluginresultentrys"].target(e, "pluginresult")]; res != nil {
				r.v[t.at["plugin"]] = st["pluginresults"].target(res, "plugin")
			}
		}
	case "image_sets":
		r.v[t.at["creator"]] = c.user.id
	}
	if i := t.col("unique_identifier"); i >= 0 && r.v[i] == nil {
		r.v[i] = uuid()
	}
}

// reparent moves rows of another table here: what sending ids of a reverse
// relation does.
func (c *call) reparent(t *table, id, column int, ids []int) {
	col := t.columns[column]
	to := c.s.st[col.to]
	for _, child := range ids {
		r := to.byID[child].copy()
		r.v[to.at[col.via]] = id
		to.put(r)
	}
}

// change is PATCH and PUT. The row is read, the columns that were sent are
// set in that copy, and after Options.Race all of it is written back: what
// others wrote in between is gone.
func (c *call) change(sch *schema, id int) answer {
	in, bad := c.input()
	if bad != nil {
		return *bad
	}
	t := c.s.st[sch.name]
	c.s.mu.RLock()
	was := t.byID[id]
	if was == nil || !c.visible(t, was, c.teams()) {
		c.s.mu.RUnlock()
		return c.none(sch, "108")
	}
	r := was.copy()
	values, parents, faults := c.check(t, in, c.Method == "PATCH")
	c.s.mu.RUnlock()
	if len(faults.names) > 0 {
		return faults.answer(refused(faults), onRow)
	}
	c.s.race()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for i, v := range values {
		if t.columns[i].kind != backOne {
			r.v[i] = c.store(t, r, i, v)
		}
	}
	if t.name == "annotations" {
		r.v[t.at["last_edit_time"]], r.v[t.at["last_editor"]] = c.s.stamp(), c.user.id
	}
	t.put(r)
	for i, ids := range parents {
		c.reparent(t, r.id, i, ids)
	}
	return answer{recording: changed[sch.name], status: 200, allow: onRow, body: c.s.st.write(nil, t, r, c.view())}
}

var changed = map[string]string{"plugins": "040", "pluginjobs": "086", "pluginresults": "143", "pluginresultentrys": "145",
	"pluginresultannotations": "146", "annotations": "239"}

// refused names the recording with the same field in its body.
func refused(f faultsOf) string {
	switch f.names[0] {
	case "processing_complete":
		return "097"
	case "result":
		return "105"
	case "icon":
		return "318"
	}
	return "098"
}

// race waits as long as a real server takes between a read and its write.
func (s *Server) race() {
	if s.opt.Race > 0 {
		time.Sleep(s.opt.Race)
	}
}

// remove is DELETE.
func (c *call) remove(sch *schema, id int) answer {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t := c.s.st[sch.name]
	if r := t.byID[id]; r == nil || !c.visible(t, r, c.teams()) {
		return c.none(sch, "107")
	}
	c.s.st.removeAny(sch.name, id)
	return answer{recording: "278", status: 204, allow: onRow, kind: noBody}
}
