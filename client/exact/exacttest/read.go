package exacttest

import (
	"encoding/json"
	"time"
)

// Job is a row of pluginjobs as it stands; times are naive, in UTC.
type Job struct {
	ID, Creator, Plugin, Image, Result int
	Worker, Error, Detail              string // null is ""
	Complete                           float64
	Created, Updated                   time.Time
}

// Jobs are all jobs, by id.
func (s *Server) Jobs() []Job {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.st["pluginjobs"]
	out := make([]Job, 0, len(t.rows))
	for _, r := range t.rows {
		out = append(out, s.job(t, r))
	}
	return out
}

// Job is one job; false when there is none.
func (s *Server) Job(id int) (Job, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.st["pluginjobs"]
	r := t.byID[id]
	if r == nil {
		return Job{}, false
	}
	return s.job(t, r), true
}

func (s *Server) job(t *table, r *row) Job {
	str := func(name string) string { v, _ := t.get(r, name).(string); return v }
	j := Job{ID: r.id, Creator: t.target(r, "creator"), Plugin: t.target(r, "plugin"), Image: t.target(r, "image"),
		Worker: str("attached_worker"), Error: str("error_message"), Detail: str("error_detail")}
	j.Complete, _ = t.get(r, "processing_complete").(float64)
	j.Created, _ = t.get(r, "created_time").(time.Time)
	j.Updated, _ = t.get(r, "updated_time").(time.Time)
	if ids := s.st.pointing("pluginresults", "job", r.id); len(ids) > 0 {
		j.Result = ids[0]
	}
	return j
}

// Set writes columns of a row at once, as another client would; values are
// those of JSON after decoding, with float64 for numbers with a point, int for
// ids and time.Time for times.
func (s *Server) Set(table string, id int, columns map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.st[table]
	if t.byID[id] == nil {
		return
	}
	r := t.byID[id].copy()
	for name, v := range columns {
		r.v[t.at[name]] = v
	}
	t.put(r)
}

// Rows are all rows of a table as the API writes them.
func (s *Server) Rows(table string) []map[string]any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.st[table]
	out := make([]map[string]any, 0, len(t.rows))
	for _, r := range t.rows {
		var m map[string]any
		if json.Unmarshal(s.st.write(nil, t, r, view{}), &m) == nil {
			out = append(out, m)
		}
	}
	return out
}

// Len is how many rows a table has.
func (s *Server) Len(table string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.st[table].rows)
}
