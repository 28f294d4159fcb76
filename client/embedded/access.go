package embedded

// Who may do what, in the terms of the original: members of a project read it and
// add to it; a restricted project lets its members change only what is theirs; a
// read-only one lets only its managers write. Administrators may do everything.

// mayRead refuses callers outside the project.
func (c *call) mayRead(q querier, project int64) error {
	if c.user.isAdmin() {
		return nil
	}
	ok, err := exists(q, "SELECT 1 FROM member WHERE project=? AND user=?", project, c.user.human)
	if err == nil && !ok {
		return forbidden()
	}
	return err
}

// mayManage refuses everybody but the project's managers.
func (c *call) mayManage(q querier, project int64) error {
	if c.user.isAdmin() {
		return nil
	}
	ok, err := exists(q, "SELECT 1 FROM member WHERE project=? AND user=? AND manager", project, c.user.human)
	if err == nil && !ok {
		return forbidden()
	}
	return err
}

// mayAdd refuses callers outside the project, and in a read-only project all but
// its managers.
func (c *call) mayAdd(q querier, project int64) error {
	return c.mayWrite(q, project, c.user.human)
}

// mayWrite is mayAdd for a thing that has an owner: in a restricted project only
// the owner and the managers may change it. Owner 0 is nobody.
func (c *call) mayWrite(q querier, project, owner int64) error {
	if c.user.isAdmin() {
		return nil
	}
	var manager, readonly, restricted bool
	ok, err := one(q, `SELECT m.manager, COALESCE(p.readonly, 0), COALESCE(p.restricted, 0)
		FROM member m JOIN project p ON p.id = m.project WHERE m.project=? AND m.user=?`,
		[]any{project, c.user.human}, &manager, &readonly, &restricted)
	switch {
	case err != nil:
		return err
	case !ok, readonly && !manager, restricted && !manager && owner != c.user.human:
		return forbidden()
	}
	return nil
}

// humanOf returns the person behind a user id, the id itself for a person.
func humanOf(q querier, user int64) (int64, error) {
	human := user
	_, err := one(q, "SELECT COALESCE(human, id) FROM user WHERE id=?", []any{user}, &human)
	return human, err
}

// inProject makes the access hook of a class whose objects name their project.
func inProject(attribute string) func(*call, querier, record, bool) error {
	return func(c *call, q querier, rec record, write bool) error {
		if write {
			return c.mayAdd(q, rec.int(attribute))
		}
		return c.mayRead(q, rec.int(attribute))
	}
}

// inJob makes the access hook of a class whose objects belong to a job.
func inJob(c *call, q querier, rec record, write bool) error {
	var project int64
	if _, err := one(q, "SELECT project FROM job WHERE id=?", []any{rec["job"]}, &project); err != nil {
		return err
	}
	if write {
		return c.mayAdd(q, project)
	}
	return c.mayRead(q, project)
}

// writeAdmin is the access hook of what everybody sees and administrators change.
func writeAdmin(c *call, _ querier, _ record, write bool) error {
	if write && !c.user.isAdmin() {
		return forbidden()
	}
	return nil
}

// visible restricts a listing to the projects the caller may see; expr yields the
// project id. Administrators need no condition, which keeps their lists fast.
func (c *call) visible(l *listing, expr string) {
	if !c.user.isAdmin() {
		l.and(expr+" IN (SELECT project FROM member WHERE user=?)", c.user.human)
	}
}
