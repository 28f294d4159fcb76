package embedded

import (
	"net/http"
	"strings"
)

var softwareClass = &class{
	name: "be.cytomine.processing.Software", key: "software", table: "software", label: "name", order: "t.id DESC",
	fields: []field{
		{name: "name", col: "name", must: true},
		{name: "softwareVersion", col: "version", blank: true},
		{name: "softwareUserRepository", col: "repository", kind: ref, table: "repository"},
		{name: "defaultProcessingServer", col: "processing_server", kind: ref, table: "processing_server"},
		{name: "resultName", col: "result_name"},
		{name: "executeCommand", col: "execute_command"},
		{name: "pullingCommand", col: "pulling_command"},
		{name: "deprecated", col: "deprecated", kind: boolean},
		{name: "sourcePath", col: "source_path"},
		{name: "user", col: "user", kind: ref, out: true, hide: true},
		{name: "fullName", col: softwareFullName, out: true},
		{name: "executable", col: "(COALESCE(TRIM(t.execute_command), '') <> '' AND COALESCE(TRIM(t.pulling_command), '') <> '')", kind: boolean, out: true},
		{name: "numberOfJob", col: "(SELECT COUNT(*) FROM job j WHERE j.software = t.id)", kind: integer, out: true},
		{name: "numberOfNotLaunch", col: countJobs + "0)", kind: integer, out: true},
		{name: "numberOfInQueue", col: countJobs + "1)", kind: integer, out: true},
		{name: "numberOfRunning", col: countJobs + "2)", kind: integer, out: true},
		{name: "numberOfSuccess", col: countJobs + "3)", kind: integer, out: true},
		{name: "numberOfFailed", col: countJobs + "4)", kind: integer, out: true},
		{name: "numberOfIndeterminate", col: countJobs + "5)", kind: integer, out: true},
		{name: "numberOfWait", col: countJobs + "6)", kind: integer, out: true},
		{name: "numberOfKilled", col: countJobs + "8)", kind: integer, out: true},
	},
	access: func(c *call, _ querier, rec record, write bool) error {
		if write && (c.user.role == roleGuest && rec["id"] == nil ||
			rec["id"] != nil && !c.user.isAdmin() && rec.int("user") != c.user.human) {
			return forbidden()
		}
		return nil
	},
}

const (
	softwareFullName = "(CASE WHEN COALESCE(TRIM(t.version), '') = '' THEN t.name ELSE t.name || ' (' || t.version || ')' END)"
	countJobs        = "(SELECT COUNT(*) FROM job j WHERE j.software = t.id AND j.status = "
)

// viewSoftware embeds the parameters a person fills in, in their order.
func viewSoftware(c *call, q querier, recs []record) error {
	all := make([]int64, len(recs))
	byID := map[int64]record{}
	for i, rec := range recs {
		all[i] = rec.int("id")
		rec["parameters"] = []record{}
		byID[all[i]] = rec
	}
	params, err := parameterClass.find(q, "t.software IN ("+joinIDs(all)+") AND NOT COALESCE(t.set_by_server, 0)", "ORDER BY t.software, t.position, t.id")
	if err != nil {
		return err
	}
	if err := parameterClass.json(c, q, params...); err != nil {
		return err
	}
	for _, p := range params {
		rec := byID[p.int("software")]
		rec["parameters"] = append(rec["parameters"].([]record), p)
	}
	return nil
}

// parameterTypes are the types a parameter may have.
var parameterTypes = map[string]bool{"String": true, "Boolean": true, "Number": true, "Date": true, "List": true, "ListDomain": true, "Domain": true}

var parameterClass = &class{
	name: "be.cytomine.processing.SoftwareParameter", key: "softwareparameter", table: "software_parameter", label: "name", order: "t.id",
	fields: []field{
		{name: "name", col: "name", must: true},
		{name: "type", col: "type", must: true},
		{name: "defaultParamValue", col: "default_value", alias: "defaultValue", blank: true},
		{name: "required", col: "required", kind: boolean, def: false},
		{name: "software", col: "software", kind: ref, table: "software", must: true},
		{name: "index", col: "position", kind: integer, def: int64(-1)},
		{name: "uri", col: "uri", blank: true},
		{name: "uriPrintAttribut", col: "uri_print", blank: true},
		{name: "uriSortAttribut", col: "uri_sort", blank: true},
		{name: "setByServer", col: "set_by_server", kind: boolean, def: false},
		{name: "serverParameter", col: "server_parameter", kind: boolean, def: false},
		{name: "humanName", col: "human_name", blank: true},
		{name: "valueKey", col: "value_key", blank: true},
		{name: "commandLineFlag", col: "flag", blank: true},
	},
	check: func(c *call, t *tx, old, rec record) error {
		if !parameterTypes[rec.text("type")] {
			return wrong("Property [type] of class [class be.cytomine.processing.SoftwareParameter] with value [%s] is not contained within the list", rec.text("type"))
		}
		software, err := softwareClass.get(t, rec.int("software"))
		if err != nil {
			return err
		}
		if err := softwareClass.access(c, t, software, true); err != nil {
			return err
		}
		if rec.int("index") == -1 { // the highest index so far, again
			var highest int64
			if _, err := one(t, "SELECT COALESCE(MAX(position), 0) FROM software_parameter WHERE software=?", []any{rec["software"]}, &highest); err != nil {
				return err
			}
			rec["index"] = highest
		}
		if rec["humanName"] == nil {
			rec["humanName"] = rec["name"]
		}
		if rec["valueKey"] == nil {
			rec["valueKey"] = "[" + strings.ToUpper(rec.text("name")) + "]"
		}
		return unique(t, "software_parameter", old, "software=? AND name=?", "SoftwareParameter", rec["software"], rec["name"])
	},
}

func init() {
	softwareClass.view = viewSoftware
	softwareClass.check = func(c *call, t *tx, old, rec record) error {
		if old == nil {
			rec["user"] = c.user.human
		}
		return unique(t, "software", old, "COALESCE(version, '')=? AND name=?", "Software", rec.text("softwareVersion"), rec["name"])
	}
	softwareClass.added = supersede
	softwareClass.drop = func(c *call, t *tx, rec record) error {
		if err := jobClass.removeAll(c, t, "t.software=?", rec["id"]); err != nil {
			return err
		}
		if err := parameterClass.removeAll(c, t, "t.software=?", rec["id"]); err != nil {
			return err
		}
		return t.exec("DELETE FROM software_project WHERE software=?", rec["id"])
	}
	parameterClass.drop = func(_ *call, t *tx, rec record) error {
		return t.exec("DELETE FROM job_parameter WHERE parameter=?", rec["id"])
	}
}

// supersede links a new version to every project that has another version of the
// same name and deprecates the older ones, compared as plain text: "1.10" is
// older than "1.9".
func supersede(_ *call, t *tx, rec record) error {
	version := rec.text("softwareVersion")
	if strings.TrimSpace(version) == "" {
		return nil
	}
	projects, err := ids(t, `SELECT DISTINCT l.project FROM software_project l JOIN software s ON s.id = l.software
		WHERE s.name=? AND s.id<>?`, rec["name"], rec["id"])
	if err != nil {
		return err
	}
	for _, p := range projects {
		if err := softwareProjectClass.insert(t, record{"software": rec["id"], "project": p}); err != nil {
			return err
		}
	}
	return t.exec("UPDATE software SET deprecated=1 WHERE name=? AND id<>? AND version IS NOT NULL AND version < ?", rec["name"], rec["id"], version)
}

var softwareProjectClass = &class{
	name: "be.cytomine.processing.SoftwareProject", key: "softwareproject", table: "software_project", order: "t.id",
	from: "LEFT JOIN software s ON s.id = t.software",
	fields: []field{
		{name: "software", col: "software", kind: ref, table: "software", must: true},
		{name: "project", col: "project", kind: ref, table: "project", must: true},
		{name: "name", col: "s.name", out: true},
		{name: "softwareVersion", col: "s.version", out: true},
		{name: "fullName", col: strings.ReplaceAll(softwareFullName, "t.", "s."), out: true},
	},
	check: func(_ *call, t *tx, old, rec record) error {
		return unique(t, "software_project", old, "project=? AND software=?", "SoftwareProject", rec["project"], rec["software"])
	},
	access: func(c *call, q querier, rec record, write bool) error {
		if write {
			return c.mayManage(q, rec.int("project"))
		}
		return c.mayRead(q, rec.int("project"))
	},
}

var processingServerClass = &class{
	name: "be.cytomine.middleware.ProcessingServer", key: "processingserver", table: "processing_server", label: "name", order: "t.position, t.id",
	fields: []field{
		{name: "name", col: "name", must: true},
		{name: "host", col: "host"},
		{name: "username", col: "username"},
		{name: "port", col: "port", kind: integer},
		{name: "type", col: "type"},
		{name: "processingMethodName", col: "method"},
		{name: "persistentDirectory", col: "persistent_directory"},
		{name: "workingDirectory", col: "working_directory"},
		{name: "index", col: "position", kind: integer},
	},
	access: writeAdmin,
}

var repositoryClass = &class{
	name: "be.cytomine.processing.SoftwareUserRepository", key: "softwareuserrepository", table: "repository", label: "username", order: "t.id",
	fields: []field{
		{name: "provider", col: "provider"},
		{name: "username", col: "username"},
		{name: "dockerUsername", col: "docker_username"},
		{name: "prefix", col: "prefix"},
	},
	access: writeAdmin,
}

// softwares lists software. where, over t and the path's id, narrows it.
func (s *Server) softwares(where string) handler {
	return func(c *call) error {
		l, err := c.listing(softwareClass)
		if err != nil {
			return err
		}
		if c.flag("executableOnly", false) {
			l.and(softwareClass.field("executable").col)
		}
		if where != "" {
			l.and(where, c.id("id"))
		}
		return s.list(c, softwareClass, l, false)
	}
}

// projectSoftware lists what is linked to a project, deprecated versions included.
func (s *Server) projectSoftware(c *call) error {
	if _, err := c.project(s.store.read(c.ctx()), "id"); err != nil {
		return err
	}
	return s.softwares("t.id IN (SELECT software FROM software_project WHERE project=?)")(c)
}

func (s *Server) softwareParameters(c *call) error {
	ok, err := exists(s.store.read(c.ctx()), "SELECT 1 FROM software WHERE id=?", c.id("id"))
	if err != nil {
		return err
	}
	if !ok {
		return notFound("Software", c.raw("id"))
	}
	l, err := c.listing(parameterClass)
	if err != nil {
		return err
	}
	l.and("t.software=?", c.id("id"))
	if !c.flag("withSetByServer", false) {
		l.and("NOT COALESCE(t.set_by_server, 0)")
	}
	return s.list(c, parameterClass, l, false)
}

// showParameter has a bad id end in a page of error, as the original does.
func (s *Server) showParameter(c *call) error {
	q := s.store.read(c.ctx())
	rec, err := parameterClass.get(q, c.id("id"))
	if err != nil {
		return err
	}
	if rec == nil {
		return crash("Cannot invoke method container() on null object: no software parameter %s", c.raw("id"))
	}
	if err := parameterClass.json(c, q, rec); err != nil {
		return err
	}
	return c.json(http.StatusOK, rec)
}

func (s *Server) projectSoftwareLinks(c *call) error {
	q := s.store.read(c.ctx())
	project, err := c.project(q, "id")
	if err != nil {
		return err
	}
	l, err := c.listing(softwareProjectClass)
	if err != nil {
		return err
	}
	l.and("t.project=?", project)
	return s.list(c, softwareProjectClass, l, false)
}

// allOf lists every object of a class.
func (s *Server) allOf(cl *class) handler {
	return func(c *call) error {
		l, err := c.listing(cl)
		if err != nil {
			return err
		}
		return s.list(c, cl, l, false)
	}
}

// softwareStats counts the jobs of one algorithm in one project by status.
func (s *Server) softwareStats(c *call) error {
	q := s.store.read(c.ctx())
	project, err := c.project(q, "id")
	if err != nil {
		return err
	}
	rows, err := q.query("SELECT status, COUNT(*) FROM job WHERE project=? AND software=? GROUP BY status", project, c.id("software"))
	if err != nil {
		return err
	}
	defer rows.Close()
	names := []string{"numberOfNotLaunch", "numberOfInQueue", "numberOfRunning", "numberOfSuccess", "numberOfFailed", "numberOfIndeterminate", "numberOfWait"}
	out := map[string]int64{"numberOfJob": 0}
	for _, n := range names {
		out[n] = 0
	}
	for rows.Next() {
		var status, n int64
		if err := rows.Scan(&status, &n); err != nil {
			return err
		}
		out["numberOfJob"] += n
		if status < int64(len(names)) {
			out[names[status]] = n
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return c.json(http.StatusOK, out)
}
