package embedded

import (
	"net/http"
	"sort"
)

// listJobs is the job list: filtered by projects and software, by any field, and
// paged in the database, so that it stays quick however many jobs there are.
func (s *Server) listJobs(c *call) error {
	c.listsJobs = true
	c.noParameters = !c.flag("withJobParameters", true)
	if !c.flag("withUser", true) {
		if c.param("sort") == "username" {
			return wrong("Cannot sort on username without argument withUser")
		}
		for _, f := range parseSearch(c.params()) {
			if f.field == "username" {
				return wrong("Cannot search on username without argument withUser")
			}
		}
	}
	l, err := c.listing(jobClass)
	if err != nil {
		return err
	}
	if c.params().Has("project") && c.param("project") != "" {
		l.in("t.project", c.longs("project"))
	}
	if c.params().Has("software") && c.param("software") != "" {
		l.in("t.software", c.longs("software"))
	}
	c.visible(l, "t.project")
	return s.list(c, jobClass, l, true)
}

// jobBounds answers with the values the filters of a project's job list can have.
func (s *Server) jobBounds(c *call) error {
	q := s.store.read(c.ctx())
	project, err := c.project(q, "id")
	if err != nil {
		return err
	}
	out := map[string]any{}
	for name, col := range map[string]string{"status": "status", "progress": "progress", "number": "number", "created": "created", "updated": "updated", "rate": "rate"} {
		var lo, hi any
		if _, err := one(q, "SELECT MIN("+col+"), MAX("+col+") FROM job WHERE project=?", []any{project}, &lo, &hi); err != nil {
			return err
		}
		out[name] = map[string]any{"min": lo, "max": hi}
	}
	softwares, err := softwareClass.find(q, "t.id IN (SELECT software FROM job WHERE project=?)", "ORDER BY t.id", project)
	if err != nil {
		return err
	}
	if err := softwareClass.json(c, q, softwares...); err != nil {
		return err
	}
	rows, err := q.query("SELECT username FROM user WHERE id IN (SELECT launcher FROM job WHERE project=?)", project)
	if err != nil {
		return err
	}
	defer rows.Close()
	names := []string{}
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			return err
		}
		names = append(names, n)
	}
	sort.Strings(names)
	out["software"] = map[string]any{"list": softwares}
	out["username"] = map[string]any{"list": names}
	return c.json(http.StatusOK, out)
}

// projectUserJobs lists the users of a project's jobs in the short form the
// original has for them, or as a tree of software and jobs.
func (s *Server) projectUserJobs(c *call) error {
	q := s.store.read(c.ctx())
	project, err := c.project(q, "id")
	if err != nil {
		return err
	}
	where, args := "", []any{project}
	if image := c.long("image", 0); image != 0 {
		where, args = " AND EXISTS (SELECT 1 FROM annotation a WHERE a.user = t.user_job AND a.image = ?)", append(args, image)
	}
	jobs, err := jobClass.find(q, "t.project=? AND t.user_job IS NOT NULL"+where, "ORDER BY t.created DESC, t.id DESC", args...)
	if err != nil {
		return err
	}
	rows := make([]map[string]any, len(jobs))
	for i, j := range jobs {
		rows[i] = map[string]any{
			"id": j["userJob"], "idJob": j["id"], "idSoftware": j["software"], "softwareName": j["softwareName"],
			"created": j["created"], "algo": true, "isDeleted": j.bool("dataDeleted"),
		}
	}
	if !c.flag("tree", false) {
		return slice(c, rows)
	}
	groups := map[any]map[string]any{}
	children := []map[string]any{}
	for _, r := range rows {
		g := groups[r["idSoftware"]]
		if g == nil {
			g = map[string]any{"id": r["idSoftware"], "name": r["softwareName"], "title": r["softwareName"], "key": r["idSoftware"],
				"isFolder": true, "hideCheckbox": true, "isDeleted": r["isDeleted"], "children": []map[string]any{}}
			groups[r["idSoftware"]] = g
			children = append(children, g)
		}
		leaf := map[string]any{"id": r["id"], "key": r["id"], "title": r["created"], "isFolder": false, "children": []any{}, "isDeleted": r["isDeleted"]}
		g["children"] = append(g["children"].([]map[string]any), leaf)
	}
	return c.json(http.StatusOK, map[string]any{"isFolder": true, "hideCheckbox": true, "name": "Root", "title": "Root", "key": "0", "id": 0, "children": children})
}

// countJobData answers with how much a job has made.
func (s *Server) countJobData(c *call) error {
	q := s.store.read(c.ctx())
	job, err := c.jobOf(q)
	if err != nil {
		return err
	}
	out := map[string]int64{}
	for name, sql := range map[string]string{
		"annotations":     "SELECT COUNT(*) FROM annotation WHERE user IN (SELECT id FROM user WHERE job=?)",
		"annotationsTerm": "SELECT COUNT(*) FROM annotation_term WHERE user IN (SELECT id FROM user WHERE job=?)",
		"jobDatas":        "SELECT COUNT(*) FROM job_data WHERE job=?",
		"reviewed":        reviewedOfJob,
	} {
		var n int64
		if _, err := one(q, sql, []any{job["id"]}, &n); err != nil {
			return err
		}
		out[name] = n
	}
	return c.json(http.StatusOK, out)
}

const reviewedOfJob = "SELECT COUNT(*) FROM annotation WHERE kind=2 AND parent IN (SELECT id FROM annotation WHERE user IN (SELECT id FROM user WHERE job=?))"

// removeJobData deletes what a job has made and keeps the job.
func (s *Server) removeJobData(c *call) error {
	var when any
	err := s.store.update(c.ctx(), func(t *tx) error {
		job, err := jobClass.retrieve(c, t, c.id("id"), c.raw("id"))
		if err != nil {
			return err
		}
		if err := c.mayManage(t, job.int("project")); err != nil {
			return err
		}
		when = job["created"]
		var n int64
		if _, err := one(t, reviewedOfJob, []any{job["id"]}, &n); err != nil {
			return err
		}
		if n > 0 {
			return wrong("There are %d reviewed annotations. You cannot delete all job data!", n)
		}
		if err := dropJobData(c, t, job); err != nil {
			return err
		}
		return t.exec("UPDATE job SET data_deleted=1 WHERE id=?", job["id"])
	})
	if err != nil {
		return err
	}
	c.after()
	msg, _ := text(when)
	return c.json(http.StatusOK, map[string]any{"message": "All data from job launch " + msg + " are deleted!"})
}
