package embedded

import "net/http"

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
