package embedded

import (
	"database/sql"
	"fmt"
	"strings"
)

// kind says how a field is stored and how it looks in JSON.
type kind int

const (
	textual kind = iota // TEXT
	integer             // INTEGER
	number              // REAL
	boolean             // INTEGER 0 or 1; a JSON boolean
	ref                 // INTEGER, the id of another object
	stamp               // INTEGER milliseconds; a JSON string of digits
)

// field is one attribute of a class.
type field struct {
	name  string // in JSON
	col   string // column, or for output only fields a SQL expression over t
	kind  kind
	def   any    // value when absent or unreadable; nil is null
	must  bool   // null is refused with 400
	table string // of a ref: where the id must exist
	max   int    // most characters of a text, 0 for no limit
	blank bool   // "" is stored as null
	out   bool   // never read from a request
	hide  bool   // never shown
	keep  bool   // a PUT without it keeps the stored value
	alias string // second name on input, preferred when both are sent
	by    string // expression to filter and sort by, when it is not the field itself
}

// record is one object: JSON names to nil, int64, float64, string or bool.
type record map[string]any

func (r record) int(name string) int64 {
	n, _ := r[name].(int64)
	return n
}

func (r record) text(name string) string {
	s, _ := r[name].(string)
	return s
}

func (r record) bool(name string) bool {
	b, _ := r[name].(bool)
	return b
}

// class describes one kind of object. The hooks may be nil.
type class struct {
	name   string // "be.cytomine.processing.Job"
	key    string // key of the object in the answer of a write, "job"
	table  string
	from   string // joins that output only fields need, after "table t"
	fields []field
	order  string // default order of lists, over t
	label  string // field named in messages

	// check refuses an addition (old is nil) or a change, and may complete rec.
	check func(c *call, t *tx, old, rec record) error
	// added runs after an addition, in the same transaction.
	added func(c *call, t *tx, rec record) error
	// drop deletes what belongs to rec, before rec itself.
	drop func(c *call, t *tx, rec record) error
	// view completes the JSON of a list of records.
	view func(c *call, q querier, recs []record) error
	// access refuses a caller who may not see (write: change) rec.
	access func(c *call, q querier, rec record, write bool) error
}

// simple is the last part of the class name, "Job".
func (cl *class) simple() string { return cl.name[strings.LastIndexByte(cl.name, '.')+1:] }

func (cl *class) field(name string) *field {
	for i := range cl.fields {
		if cl.fields[i].name == name {
			return &cl.fields[i]
		}
	}
	return nil
}

// sql returns the expression that yields the field.
func (f *field) sql() string {
	if f.out && strings.ContainsAny(f.col, "( .") {
		return f.col
	}
	return "t." + f.col
}

// filter returns the expression to filter and sort by.
func (f *field) filter() string {
	if f.by != "" {
		return f.by
	}
	return f.sql()
}

// decode fills a record from the JSON of a request. On a change old holds the
// stored object: absent fields still go back to their defaults, as a PUT is a
// full replacement, except those that never change after creation.
func (cl *class) decode(q querier, o object, old record) (record, error) {
	rec := record{}
	for i := range cl.fields {
		f := &cl.fields[i]
		if f.out {
			if old != nil {
				rec[f.name] = old[f.name]
			} else {
				rec[f.name] = f.def
			}
			continue
		}
		v, err := f.decode(q, o)
		if err != nil {
			return nil, err
		}
		if _, sent := o[f.name]; f.keep && old != nil && !sent {
			v = old[f.name]
		}
		rec[f.name] = v
	}
	return rec, nil
}

func (f *field) decode(q querier, o object) (any, error) {
	name := f.name
	if f.alias != "" {
		if _, ok := o.str(f.alias); ok {
			name = f.alias
		}
	}
	var v any
	switch f.kind {
	case textual:
		if s, ok := o.str(name); ok && (s != "" || !f.blank && !f.must) {
			if f.max > 0 && len([]rune(s)) > f.max {
				return nil, wrong("Property [%s] exceeds the maximum size of [%d]: it has %d characters", f.name, f.max, len([]rune(s)))
			}
			v = s
		}
	case integer, stamp:
		if n, ok := o.longOK(name); ok {
			v = n
		}
	case number:
		if n, ok := o.doubleOK(name); ok {
			v = n
		}
	case boolean:
		if b, ok := o.boolOK(name); ok {
			v = b
		}
	case ref:
		s, ok := o.str(name)
		if !ok {
			break
		}
		n, ok := parseLong(s)
		if !ok {
			return nil, wrong("%s was not found with id:%s", f.name, s)
		}
		if f.table != "" {
			found, err := exists(q, "SELECT 1 FROM "+f.table+" WHERE id=?", n)
			if err != nil {
				return nil, err
			}
			if !found {
				return nil, wrong("%s was not found with id:%s", f.name, s)
			}
		}
		v = n
	}
	if v == nil {
		v = f.def
	}
	if v == nil && f.must {
		s, _ := text(o[name])
		if s == "" {
			s = "null"
		}
		return nil, wrong("%s must be set! value=%s", f.name, s)
	}
	return v, nil
}

// selectList is the column list that scan reads.
func (cl *class) selectList() string {
	var b strings.Builder
	b.WriteString("t.id, t.created, t.updated")
	for i := range cl.fields {
		b.WriteString(", ")
		b.WriteString(cl.fields[i].sql())
	}
	return b.String()
}

// find returns the objects a WHERE clause selects. tail may hold ORDER BY and LIMIT.
func (cl *class) find(q querier, where, tail string, args ...any) ([]record, error) {
	rows, err := q.query("SELECT "+cl.selectList()+" FROM "+cl.table+" t "+cl.from+" WHERE "+where+" "+tail, args...)
	if err != nil {
		return nil, fmt.Errorf("cannot list %s: %w", cl.table, err)
	}
	defer rows.Close()
	out := []record{}
	for rows.Next() {
		rec, err := cl.scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, rows.Err()
}

// get returns one object by id, nil when there is none.
func (cl *class) get(q querier, id int64) (record, error) {
	recs, err := cl.find(q, "t.id=?", "", id)
	if err != nil || len(recs) == 0 {
		return nil, err
	}
	return recs[0], nil
}

// first returns the first object a WHERE clause selects, nil when there is none.
func (cl *class) first(q querier, where string, args ...any) (record, error) {
	recs, err := cl.find(q, where, "LIMIT 1", args...)
	if err != nil || len(recs) == 0 {
		return nil, err
	}
	return recs[0], nil
}

func (cl *class) scan(rows *sql.Rows) (record, error) {
	vals := make([]any, 3+len(cl.fields))
	ptrs := make([]any, len(vals))
	for i := range vals {
		ptrs[i] = &vals[i]
	}
	if err := rows.Scan(ptrs...); err != nil {
		return nil, err
	}
	rec := make(record, len(vals)+2)
	rec["class"] = cl.name
	rec["id"], rec["created"], rec["updated"], rec["deleted"] = vals[0], vals[1], vals[2], nil
	for i := range cl.fields {
		rec[cl.fields[i].name] = cl.fields[i].load(vals[3+i])
	}
	return rec, nil
}

// load turns a column into the value of a record.
func (f *field) load(v any) any {
	switch v := v.(type) {
	case int64:
		switch f.kind {
		case boolean:
			return v != 0
		case number:
			return float64(v)
		}
		return v
	case float64:
		if f.kind == number {
			return v
		}
		return int64(v)
	case []byte:
		return string(v)
	}
	return v
}

// insert stores a new object under a fresh id, or under rec["id"] when set.
func (cl *class) insert(t *tx, rec record) error {
	if rec["id"] == nil {
		rec["id"] = t.id()
	}
	if rec["created"] == nil {
		rec["created"] = t.now
	}
	cols, marks, args := []string{"id", "created", "updated"}, "?,?,?", []any{rec["id"], rec["created"], rec["updated"]}
	for i := range cl.fields {
		if f := &cl.fields[i]; f.sql() == "t."+f.col {
			cols, marks, args = append(cols, f.col), marks+",?", append(args, rec[f.name])
		}
	}
	if err := t.exec("INSERT INTO "+cl.table+" ("+strings.Join(cols, ",")+") VALUES ("+marks+")", args...); err != nil {
		return fmt.Errorf("cannot add to %s: %w", cl.table, err)
	}
	return nil
}

// store writes every column of an existing object.
func (cl *class) store(t *tx, rec record) error {
	sets, args := []string{"created=?", "updated=?"}, []any{rec["created"], rec["updated"]}
	for i := range cl.fields {
		if f := &cl.fields[i]; f.sql() == "t."+f.col {
			sets, args = append(sets, f.col+"=?"), append(args, rec[f.name])
		}
	}
	if err := t.exec("UPDATE "+cl.table+" SET "+strings.Join(sets, ",")+" WHERE id=?", append(args, rec["id"])...); err != nil {
		return fmt.Errorf("cannot change %s: %w", cl.table, err)
	}
	return nil
}

// remove deletes an object and what belongs to it.
func (cl *class) remove(c *call, t *tx, rec record) error {
	if cl.drop != nil {
		if err := cl.drop(c, t, rec); err != nil {
			return err
		}
	}
	if err := dropMeta(c, t, rec.int("id")); err != nil {
		return err
	}
	return t.exec("DELETE FROM "+cl.table+" WHERE id=?", rec["id"])
}

// removeAll deletes every object a WHERE clause selects, each with what belongs to it.
func (cl *class) removeAll(c *call, t *tx, where string, args ...any) error {
	recs, err := cl.find(t, where, "", args...)
	if err != nil {
		return err
	}
	for _, rec := range recs {
		if err := cl.remove(c, t, rec); err != nil {
			return err
		}
	}
	return nil
}
