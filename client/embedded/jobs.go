package embedded

import (
	"slices"
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
	var params []record
	for part := range slices.Chunk(all, 500) { // a statement has a longest length
		found, err := jobParameterClass.find(q, "t.job IN ("+joinIDs(part)+")", "ORDER BY t.job, t.created, t.id")
		if err != nil {
			return err
		}
		params = append(params, found...)
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
