package tuitest

import (
	"database/sql"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the database of the embedded server
)

// AddJobs puts n jobs of other people's boxes straight into the server's database, one
// a minute, the newest now, of two algorithms in turn and in every state. Afterwards
// the site makes no more objects: their ids are not from its sequence.
func (s *Site) AddJobs(n int) {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "cytomine.db")+"?_pragma=busy_timeout(10000)")
	must(s.t, err)
	defer db.Close()
	_, err = db.Exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < ?-1)
		INSERT INTO job (id, created, project, software, number, status, progress, comment, data_deleted, rate, launcher)
		SELECT 1000000+i, ?-i*60000, ?, CASE i%2 WHEN 0 THEN ? ELSE ? END, ?-i, i%9, 0, 'exit code 1: CUDA out of memory', 0, -1, ? FROM n`,
		n, time.Now().UnixMilli(), s.Session.Project.ID, s.Algorithm("nuclei-segmentation").ID, s.Algorithm("stain-density").ID, n, s.Session.User.ID)
	must(s.t, err)
}

// SetJob changes a job behind everybody's back: to a status, or away for one below 0.
func (s *Site) SetJob(id, status int64) {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "cytomine.db")+"?_pragma=busy_timeout(10000)")
	must(s.t, err)
	defer db.Close()
	if status < 0 {
		_, err = db.Exec("DELETE FROM job WHERE id=?", id)
	} else {
		_, err = db.Exec("UPDATE job SET status=? WHERE id=?", status, id)
	}
	must(s.t, err)
}
