package embedded

import (
	"net/http"
	"strings"
)

// Job states of the API. There are no rules between them: any PUT may set any.
const (
	statusNotLaunched = 0
	statusInQueue     = 1
	statusKilled      = 8
)

var jobClass = &class{
	name: "be.cytomine.processing.Job", key: "job", table: "job", order: "t.created DESC, t.id DESC",
	from: "LEFT JOIN software s ON s.id = t.software LEFT JOIN user u ON u.id = t.launcher",
	fields: []field{
		{name: "algoType", col: "('job')", out: true},
		{name: "progress", col: "progress", kind: integer, def: int64(0)},
		{name: "status", col: "status", kind: integer, def: int64(statusNotLaunched)},
		{name: "number", col: "number", kind: integer, out: true},
		{name: "statusComment", col: "comment", max: 255},
		{name: "project", col: "project", kind: ref, table: "project", must: true},
		{name: "software", col: "software", kind: ref, table: "software", must: true},
		{name: "processingServer", col: "processing_server", kind: ref, table: "processing_server"},
		{name: "softwareName", col: strings.ReplaceAll(softwareFullName, "t.", "s."), out: true, by: "s.name"},
		{name: "name", col: "(" + strings.ReplaceAll(softwareFullName, "t.", "s.") + " || ' : ' || t.number)", out: true, by: "s.name"},
		{name: "softwareVersion", col: "s.version", out: true, hide: true},
		{name: "rate", col: "rate", kind: number, def: -1.0},
		{name: "dataDeleted", col: "data_deleted", kind: boolean, def: false},
		{name: "favorite", col: "favorite", kind: boolean, keep: true},
		{name: "username", col: "u.username", out: true},
		{name: "userJob", col: "user_job", kind: ref, out: true},
		{name: "launcher", col: "launcher", kind: ref, out: true, hide: true},
	},
	access: inProject("project"),
}

func init() {
	jobClass.check = func(_ *call, t *tx, old, rec record) error {
		if p := rec.int("progress"); p < 0 || p > 100 {
			return wrong("Property [progress] of class [class be.cytomine.processing.Job] with value [%d] is outside of 0..100", p)
		}
		if st := rec.int("status"); st < 0 || st > statusKilled {
			return wrong("Property [status] of class [class be.cytomine.processing.Job] with value [%d] does not fall within the valid range from [0] to [8]", st)
		}
		if old != nil {
			return nil
		}
		var number int64
		if _, err := one(t, "SELECT COALESCE(MAX(number), 0) + 1 FROM job WHERE software=? AND project=?",
			[]any{rec["software"], rec["project"]}, &number); err != nil {
			return err
		}
		rec["number"] = number
		return nil
	}
	jobClass.view = viewJobs
	jobClass.drop = func(c *call, t *tx, rec record) error {
		if err := dropJobData(c, t, rec); err != nil {
			return err
		}
		if err := t.exec("DELETE FROM job_parameter WHERE job=?", rec["id"]); err != nil {
			return err
		}
		return t.exec("DELETE FROM user WHERE job=?", rec["id"])
	}
}

// dropJobData deletes what a job made: annotations, terms on annotations of
// others, and result files.
func dropJobData(c *call, t *tx, job record) error {
	users, err := ids(t, "SELECT id FROM user WHERE job=?", job["id"])
	if err != nil {
		return err
	}
	for _, u := range users {
		if err := t.exec("DELETE FROM annotation_term WHERE user=?", u); err != nil {
			return err
		}
		if err := t.exec("DELETE FROM annotation WHERE user=?", u); err != nil {
			return err
		}
	}
	return jobDataClass.removeAll(c, t, "t.job=?", job["id"])
}

// viewJobs embeds the parameters of the jobs. A single job hides the values of
// both keys; the list hides only that of a parameter named privateKey.
func viewJobs(c *call, q querier, recs []record) error {
	all := make([]int64, len(recs))
	byID := map[int64]record{}
	for i, rec := range recs {
		all[i] = rec.int("id")
		rec["jobParameters"] = []record{}
		byID[all[i]] = rec
	}
	if c.noParameters || len(recs) == 0 {
		return nil
	}
	params, err := jobParameterClass.find(q, "t.job IN ("+joinIDs(all)+")", "ORDER BY t.job, t.created, t.id")
	if err != nil {
		return err
	}
	if err := jobParameterClass.json(c, q, params...); err != nil {
		return err
	}
	for _, p := range params {
		name := p.text("name")
		if c.listsJobs && name == "privateKey" || !c.listsJobs && isKeyName(name) {
			p["value"] = "*********************"
		}
		rec := byID[p.int("job")]
		rec["jobParameters"] = append(rec["jobParameters"].([]record), p)
	}
	return nil
}

// isKeyName reports whether a parameter of this name holds one of the two keys.
func isKeyName(name string) bool {
	switch strings.ToUpper(strings.ReplaceAll(name, "_", "")) {
	case "PUBLICKEY", "CYTOMINEPUBLICKEY", "PRIVATEKEY", "CYTOMINEPRIVATEKEY":
		return true
	}
	return false
}

var jobParameterClass = &class{
	name: "be.cytomine.processing.JobParameter", key: "jobparameter", table: "job_parameter", label: "name", order: "t.id",
	from: "LEFT JOIN software_parameter p ON p.id = t.parameter",
	fields: []field{
		{name: "value", col: "value", max: 5000},
		{name: "job", col: "job", kind: ref, table: "job", must: true},
		{name: "softwareParameter", col: "parameter", kind: ref, table: "software_parameter", must: true},
		{name: "name", col: "p.name", out: true},
		{name: "type", col: "p.type", out: true},
		{name: "index", col: "p.position", kind: integer, out: true},
		{name: "uri", col: "p.uri", out: true},
		{name: "uriPrintAttribut", col: "p.uri_print", out: true},
		{name: "uriSortAttribut", col: "p.uri_sort", out: true},
		{name: "humanName", col: "COALESCE(p.human_name, p.name)", out: true},
	},
	check: func(_ *call, t *tx, old, rec record) error {
		taken, err := exists(t, "SELECT 1 FROM job_parameter WHERE job=? AND parameter=? AND id<>?", rec["job"], rec["softwareParameter"], old.int("id"))
		if err == nil && taken {
			return conflict("Parameter %v already exist for job %v", rec["softwareParameter"], rec["job"])
		}
		return err
	},
	access: inJob,
}

// addJob makes a job, its parameters and the user it acts as.
func (s *Server) addJob(c *call) error {
	o, err := c.object()
	if err != nil {
		return err
	}
	if o.long("project", 0) == 0 {
		return wrong("software not set") // sic
	}
	var answer map[string]any
	err = s.store.update(c.ctx(), func(t *tx) error {
		answer, err = s.createJob(c, t, o)
		return err
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, answer)
}

func (s *Server) createJob(c *call, t *tx, o object) (map[string]any, error) {
	if ok, err := exists(t, "SELECT 1 FROM project WHERE id=?", o.long("project", 0)); err != nil {
		return nil, err
	} else if !ok {
		return nil, gone("be.cytomine.project.Project %v not found", o["project"])
	}
	rec, answer, err := jobClass.create(c, t, o)
	if err != nil {
		return nil, err
	}
	params, _ := o["params"].([]any)
	if len(params) > 0 && c.user.algo {
		return nil, crash("Cannot cast object of class UserJob to class User")
	}
	for _, p := range params {
		po, ok := p.(map[string]any)
		if !ok {
			return nil, wrong("each of params must be an object with softwareParameter and value")
		}
		if _, _, err := jobParameterClass.create(c, t, object{"job": rec["id"], "softwareParameter": po["softwareParameter"], "value": po["value"]}); err != nil {
			return nil, err
		}
	}
	user, err := s.newUserJob(t, c.user.human, rec.int("id"), t.now)
	if err != nil {
		return nil, err
	}
	rec["userJob"] = user
	if rec["username"], err = usernameOf(t, c.user.human); err != nil {
		return nil, err
	}
	// The original answers with the job as it was before its parameters were
	// stored; clients that want them ask again.
	answer["message"] = "Software " + rec.text("softwareName") + " started"
	return answer, nil
}

func usernameOf(q querier, id int64) (string, error) {
	var name string
	_, err := one(q, "SELECT username FROM user WHERE id=?", []any{id}, &name)
	return name, err
}

// addUserJob makes a user for a job, and the job too unless one is named.
func (s *Server) addUserJob(c *call) error {
	o, err := c.object()
	if err != nil {
		return err
	}
	var rec record
	err = s.store.update(c.ctx(), func(t *tx) error {
		human := c.user.human
		if parent, ok := o.longOK("parent"); ok {
			if !c.user.isAdmin() {
				return forbidden()
			}
			human = parent
		}
		job := o.long("job", 0)
		switch {
		case job != 0:
			old, err := jobClass.retrieve(c, t, job, o["job"])
			if err != nil {
				return err
			}
			if old["userJob"] != nil {
				return conflict("UserJob of job %d already exist!", job)
			}
		case o.long("software", 0) != 0 && o.long("project", 0) != 0:
			made, _, err := jobClass.create(c, t, object{"software": o["software"], "project": o["project"]})
			if err != nil {
				return err
			}
			job = made.int("id")
		default:
			return wrong("Add job or software and project!")
		}
		id, err := s.newUserJob(t, human, job, o.long("created", t.now))
		if err != nil {
			return err
		}
		if rec, err = userClass.get(t, id); err != nil {
			return err
		}
		return userClass.json(c, t, rec)
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, map[string]any{"userJob": rec})
}

// jobOf returns the job the path names, once the caller may see it.
func (c *call) jobOf(q querier) (record, error) { return jobClass.must(c, q, c.id("id")) }

func (s *Server) jobParameters(c *call) error {
	q := s.store.read(c.ctx())
	if _, err := c.jobOf(q); err != nil {
		return err
	}
	l, err := c.listing(jobParameterClass)
	if err != nil {
		return err
	}
	l.and("t.job=?", c.id("id"))
	return s.list(c, jobParameterClass, l, false)
}

// executeJob refuses: nothing here runs programs. The original refuses in this
// way when an algorithm's processing server has no queue.
func (s *Server) executeJob(c *call) error {
	q := s.store.read(c.ctx())
	job, err := c.jobOf(q)
	if err != nil {
		return err
	}
	taken, err := exists(q, `SELECT 1 FROM job_parameter jp JOIN software_parameter p ON p.id = jp.parameter
		WHERE jp.job=? AND p.set_by_server`, job["id"])
	if err != nil {
		return err
	}
	if taken {
		return conflict("Parameter of the server already exist for job %v: it was executed before", job["id"])
	}
	return crash("MiddlewareException: this embedded server has no software router and no processing server; start job %v with cytorun", job["id"])
}

// killJob answers with the job and changes nothing: the original only publishes a
// message, and fails when the job has no processing server.
func (s *Server) killJob(c *call) error {
	q := s.store.read(c.ctx())
	job, err := c.jobOf(q)
	if err != nil {
		return err
	}
	if job["processingServer"] == nil {
		return crash("Cannot get property 'name' on null object: job %v has no processing server; this embedded server has no software router", job["id"])
	}
	if err := jobClass.json(c, q, job); err != nil {
		return err
	}
	return c.json(http.StatusOK, job)
}

// favoriteJob sets or clears the star and answers with the bare job.
func (s *Server) favoriteJob(c *call) error {
	o, err := c.object()
	if err != nil {
		return err
	}
	var job record
	err = s.store.update(c.ctx(), func(t *tx) error {
		if job, err = jobClass.retrieve(c, t, c.id("id"), c.raw("id")); err != nil {
			return err
		}
		star, _ := o.boolOK("favorite")
		job["favorite"] = star
		if err := jobClass.store(t, job); err != nil {
			return err
		}
		return jobClass.json(c, t, job)
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, job)
}

// copyJob makes a new job with the parameters of another.
func (s *Server) copyJob(c *call) error {
	var answer map[string]any
	err := s.store.update(c.ctx(), func(t *tx) error {
		job, err := jobClass.retrieve(c, t, c.id("id"), c.raw("id"))
		if err != nil {
			return err
		}
		params, err := jobParameterClass.find(t, "t.job=? AND NOT COALESCE(p.set_by_server, 0)", "ORDER BY t.id", job["id"])
		if err != nil {
			return err
		}
		list := []any{}
		for _, p := range params {
			list = append(list, map[string]any{"softwareParameter": p["softwareParameter"], "value": p["value"]})
		}
		answer, err = s.createJob(c, t, object{"project": job["project"], "software": job["software"], "params": list})
		return err
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, answer)
}
