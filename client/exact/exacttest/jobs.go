package exacttest

import (
	"encoding/json"
	"strconv"
)

const onCall = "POST, OPTIONS"

// createJob is the call that is meant for it: one job for each image and
// plugin, which is looked up and not guarded, so that a race makes two.
func (c *call) createJob() answer {
	if a, ok := c.login(onCall); !ok {
		return a
	}
	if c.Method != "POST" {
		return c.notAllowed(onCall)
	}
	in, bad := c.input()
	if bad != nil {
		return *bad
	}
	image, ok1 := wholeOf(in.value["image_id"])
	plugin, ok2 := wholeOf(in.value["plugin_id"])
	if !ok1 || !ok2 {
		return answer{recording: "053", status: 400, allow: onCall, body: detailed("Malformed request.")}
	}
	c.s.mu.RLock()
	st := c.s.st
	noImage, noPlugin := st["images"].byID[image] == nil, st["plugins"].byID[plugin] == nil
	there := c.s.jobOf(image, plugin)
	c.s.mu.RUnlock()
	switch {
	case noImage:
		return answer{recording: "054", status: 404, allow: onCall, body: detailed("No Image matches the given query.")}
	case noPlugin:
		return answer{recording: "054", status: 404, allow: onCall, body: detailed("No Plugin matches the given query.")}
	case there:
		return answer{recording: "052", status: 400, allow: onCall, body: []byte("[]")}
	}
	c.s.race()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t := st["pluginjobs"]
	r := c.s.newJob(image, plugin, c.user.id)
	return answer{recording: "051", status: 201, allow: onCall, body: st.write(nil, t, r, view{})}
}

func (s *Server) jobOf(image, plugin int) bool {
	t := s.st["pluginjobs"]
	for _, id := range s.st.pointing("pluginjobs", "image", image) {
		if t.target(t.byID[id], "plugin") == plugin {
			return true
		}
	}
	return false
}

// newJob stores a job; the caller holds the lock.
func (s *Server) newJob(image, plugin, creator int) *row {
	t := s.st["pluginjobs"]
	r := t.blank()
	at := s.stamp()
	for _, name := range []string{"created_time", "updated_time", "eta_time"} {
		r.v[t.at[name]] = at
	}
	r.v[t.at["image"]], r.v[t.at["plugin"]] = image, plugin
	if creator > 0 {
		r.v[t.at["creator"]] = creator
	}
	t.put(r)
	return r
}

func wholeOf(v any) (int, bool) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// StopJob does what "stop" of the web does: the job's row is gone, and its
// result stays without one. A worker sees a 404.
func (s *Server) StopJob(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.removeJob(id)
}

// RestartJob does what "restart" of the web does: result and errors are gone,
// the progress is 0, the job is as new; who had it attached stays attached.
func (s *Server) RestartJob(id int) {
	at := s.stamp()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range append([]int(nil), s.st.pointing("pluginresults", "job", id)...) {
		s.st.removeResult(r)
	}
	t := s.st["pluginjobs"]
	if t.byID[id] == nil {
		return
	}
	r := t.byID[id].copy()
	r.v[t.at["processing_complete"]], r.v[t.at["error_message"]], r.v[t.at["error_detail"]], r.v[t.at["created_time"]] = 0.0, nil, nil, at
	t.put(r)
}

// addProduct offers a plugin for a product; any login may.
func (c *call) addProduct() answer {
	if a, ok := c.login(onCall); !ok {
		return a
	}
	in, bad := c.input()
	if bad != nil {
		return *bad
	}
	plugin, _ := wholeOf(in.value["plugin_id"])
	product, _ := wholeOf(in.value["product_id"])
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	st := c.s.st
	p, o := st["plugins"].byID[plugin], st["products"].byID[product]
	if p == nil || o == nil {
		return answer{recording: "054", status: 404, allow: onCall, body: detailed("No Plugin matches the given query.")}
	}
	r := p.copy()
	at := st["plugins"].at["products"]
	r.v[at] = append(append([]int{}, targets(r.v[at])...), product)
	st["plugins"].put(r)
	b := append([]byte(`{"detail":"added a product to the plugin.","product":`), st.write(nil, st["products"], o, view{})...)
	b = append(b, `,"plugin":`...)
	return answer{recording: "044", status: 201, allow: onCall, body: append(st.write(b, st["plugins"], r, view{}), '}')}
}
