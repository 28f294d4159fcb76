package exacttest

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
)

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// createAnnotation is POST of one annotation, which is an update where image
// and unique identifier are known already, or of a list, which never is.
func (c *call) createAnnotation() answer {
	in, bad := c.input()
	if bad != nil {
		return *bad
	}
	if in.form {
		return c.crash("229", "AttributeError")
	}
	if in.items {
		return c.createAnnotations(in.list)
	}
	uid, hasUID := in.value["unique_identifier"].(string)
	if !hasUID {
		return c.crash("209", "KeyError")
	}
	if _, ok := in.value["image"]; !ok {
		return c.crash("223", "KeyError")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t := c.s.st["annotations"]
	values, _, faults := c.check(t, in, false)
	if len(faults.names) > 0 {
		return faults.answer("222", onList)
	}
	image, _ := values[t.at["image"]].(int)
	for _, id := range c.s.st.pointing("annotations", "image", image) {
		r := t.byID[id]
		if t.get(r, "unique_identifier") != uid {
			continue
		}
		deleted, ok := values[t.at["deleted"]]
		if !ok {
			return c.crash("221", "KeyError")
		}
		r = r.copy()
		for _, name := range []string{"vector", "annotation_type"} {
			if v, ok := values[t.at[name]]; ok {
				r.v[t.at[name]] = v
			}
		}
		r.v[t.at["deleted"]], r.v[t.at["last_editor"]], r.v[t.at["last_edit_time"]] = deleted, c.user.id, c.s.stamp()
		t.put(r)
		return answer{recording: "220", status: 200, allow: onList, body: c.s.st.write(nil, t, r, c.view())}
	}
	r := c.newAnnotation(t, values)
	return answer{recording: "210", status: 201, allow: onList, body: c.s.st.write(nil, t, r, c.view())}
}

func (c *call) newAnnotation(t *table, values map[int]any) *row {
	r := t.blank()
	for i, v := range values {
		r.v[i] = v
	}
	for _, name := range []string{"user", "last_editor"} {
		if r.v[t.at[name]] == nil {
			r.v[t.at[name]] = c.user.id
		}
	}
	c.stampNew(t, r)
	t.put(r)
	return r
}

// createAnnotations stores a list without looking at it.
func (c *call) createAnnotations(list []map[string]any) answer {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t := c.s.st["annotations"]
	var all []map[int]any
	for _, one := range list {
		if _, ok := one["time"]; ok {
			return c.crash("227", "TypeError")
		}
		values, _, faults := c.check(t, input{value: one}, false)
		if len(faults.names) > 0 {
			return c.crash("226", "DoesNotExist")
		}
		all = append(all, values)
	}
	b := []byte{'['}
	for i, values := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.s.st.write(b, t, c.newAnnotation(t, values), view{})
	}
	if len(all) == 0 {
		return answer{recording: "228", status: 201, allow: onList, body: []byte("[]")}
	}
	return answer{recording: "224", status: 201, allow: onList, body: append(b, ']')}
}

func (c *call) count(sch *schema) answer {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	rows, bad := c.find(sch)
	if bad != nil {
		return *bad
	}
	return answer{recording: "238", status: 200, allow: "GET, HEAD, OPTIONS", body: fmt.Appendf(nil, `{"count":%d}`, len(rows))}
}

func (c *call) deleteMany(sch *schema) answer {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	rows, bad := c.find(sch)
	if bad != nil {
		return *bad
	}
	for _, r := range slices.Clone(rows) {
		c.s.st[sch.name].remove(r.id)
	}
	return answer{recording: "241", status: 200, allow: "DELETE, OPTIONS", body: fmt.Appendf(nil, `{"annotations.Annotation":%d}`, len(rows))}
}

// typesOfSet are the annotation types of an image set's products.
func (c *call) typesOfSet() answer {
	const allow = "OPTIONS, GET"
	if a, ok := c.login(allow); !ok {
		return a
	}
	set, _ := strconv.Atoi(c.URL.Query().Get("imageset_id"))
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	st := c.s.st
	r := st["image_sets"].byID[set]
	if r == nil || !c.visible(st["image_sets"], r, c.teams()) {
		return answer{recording: "196", status: 404, allow: allow, body: detailed("No ImageSet matches the given query.")}
	}
	b := []byte(`{"annotation_types":[`)
	n := 0
	for _, product := range targets(st["image_sets"].get(r, "product_set")) {
		for _, id := range st.pointing("annotation_types", "product", product) {
			if n++; n > 1 {
				b = append(b, ',')
			}
			b = st.write(b, st["annotation_types"], st["annotation_types"].byID[id], view{})
		}
	}
	return answer{recording: "207", status: 200, allow: allow, body: append(b, ']', '}')}
}
