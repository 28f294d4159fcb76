package embedded

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// search is one filter of a list: status[in]=3,4.
type search struct {
	field  string
	op     string
	values []string
}

// parseSearch reads the filters of a query string. Like the original it decodes
// the values once more than HTTP does and passes over operators it does not know.
func parseSearch(values url.Values) []search {
	var out []search
	for key, vals := range values {
		open := strings.IndexByte(key, '[')
		if open <= 0 || !strings.HasSuffix(key, "]") || len(vals) == 0 {
			continue
		}
		f := search{field: key[:open], op: key[open+1 : len(key)-1]}
		raw := vals[:1]
		switch f.op {
		case "in":
			raw = strings.Split(vals[0], ",")
		case "equals", "like", "ilike", "lte", "gte":
		default:
			continue
		}
		for _, v := range raw {
			if d, err := url.QueryUnescape(v); err == nil {
				v = d
			}
			f.values = append(f.values, v)
		}
		out = append(out, f)
	}
	return out
}

// condition turns a filter into SQL over an expression of the given kind. It
// returns "" for values the kind cannot have, which match nothing.
func (f search) condition(expr string, k kind) (string, []any) {
	arg := func(v string) (any, bool) {
		switch k {
		case integer, ref, stamp:
			return parseLongArg(v)
		case number:
			n, err := strconv.ParseFloat(v, 64)
			return n, err == nil
		case boolean:
			if parseBoolean(v) {
				return int64(1), true
			}
			return int64(0), true
		}
		return v, true
	}
	switch f.op {
	case "in":
		var marks []string
		var args []any
		null := false
		for _, v := range f.values {
			if v == "null" {
				null = true
				continue
			}
			if a, ok := arg(v); ok {
				marks, args = append(marks, "?"), append(args, a)
			}
		}
		cond := expr + " IN (" + strings.Join(marks, ",") + ")"
		if null {
			cond = "(" + cond + " OR " + expr + " IS NULL)"
		}
		return cond, args
	case "like", "ilike":
		if f.op == "like" { // LIKE is blind to case in SQLite, GLOB is not
			return expr + " GLOB ?", []any{strings.NewReplacer("%", "*", "_", "?", "[", "[[]").Replace(f.values[0])}
		}
		return expr + " LIKE ?", []any{strings.ReplaceAll(f.values[0], "*", "%")}
	}
	if f.op == "equals" && f.values[0] == "null" {
		return expr + " IS NULL", nil
	}
	a, ok := arg(f.values[0])
	if !ok {
		return "", nil
	}
	return expr + map[string]string{"equals": " = ?", "lte": " <= ?", "gte": " >= ?"}[f.op], []any{a}
}

func parseLongArg(v string) (any, bool) {
	n, ok := parseLong(v)
	return n, ok
}

// listing is one list request, translated to SQL.
type listing struct {
	where []string
	args  []any
	sort  string
	joins string // the joins that where and sort need
	max   int64
	off   int64
}

// and adds a condition.
func (l *listing) and(cond string, args ...any) {
	l.where, l.args = append(l.where, cond), append(l.args, args...)
}

// need notes that an expression looks into another table than the class's own.
func (l *listing) need(cl *class, expr string) {
	if !strings.HasPrefix(expr, "t.") {
		l.joins = cl.from
	}
}

// in adds "expr is one of these numbers"; no numbers match nothing.
func (l *listing) in(expr string, nums []int64) {
	l.and(expr + " IN (" + joinIDs(nums) + ")")
}

func joinIDs(nums []int64) string {
	var b strings.Builder
	for i, n := range nums {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(n, 10))
	}
	return b.String()
}

func (l *listing) sql() string {
	if len(l.where) == 0 {
		return "1"
	}
	return strings.Join(l.where, " AND ")
}

// listing reads filters, order and page of a list of cl. Filters on fields the
// class does not have are passed over; an unknown sort field is 501, as nobody
// implemented it.
func (c *call) listing(cl *class) (*listing, error) {
	l := &listing{max: c.long("max", 0), off: c.long("offset", 0)}
	for _, f := range parseSearch(c.params()) {
		fd := cl.field(f.field)
		expr, k := "", integer
		switch {
		case f.field == "id" || f.field == "created" || f.field == "updated":
			expr = "t." + f.field
		case fd != nil && !fd.hide:
			expr, k = fd.filter(), fd.kind
		default:
			continue
		}
		l.need(cl, expr)
		cond, args := f.condition(expr, k)
		if cond == "" {
			cond = "0"
		}
		l.and(cond, args...)
	}
	dir := " ASC"
	if strings.EqualFold(c.param("order"), "desc") {
		dir = " DESC"
	}
	switch by := c.param("sort"); {
	case by == "":
		l.sort = cl.order
	case by == "id" || by == "created" || by == "updated":
		if c.param("order") == "" {
			dir = " DESC"
		}
		l.sort = "t." + by + dir + ", t.id" + dir
	case cl.field(by) != nil && !cl.field(by).hide:
		if c.param("order") == "" {
			dir = " DESC"
		}
		l.need(cl, cl.field(by).filter())
		l.sort = cl.field(by).filter() + dir + ", t.id" + dir
	default:
		return nil, failure(http.StatusNotImplemented, "%s list sorted by %s is not implemented", cl.simple(), by)
	}
	return l, nil
}

// page runs a listing and returns the page and the size of the whole.
func (cl *class) page(q querier, l *listing) ([]record, int64, error) {
	tail := ""
	if l.sort != "" {
		tail = "ORDER BY " + l.sort
	}
	if l.max <= 0 && l.off <= 0 {
		recs, err := cl.find(q, l.sql(), tail, l.args...)
		return recs, int64(len(recs)), err
	}
	limit := l.max
	if limit <= 0 {
		limit = -1
	}
	// The ids first: skipping rows costs little while nothing else is read of them.
	recs, err := cl.find(q, "t.id IN (SELECT t.id FROM "+cl.table+" t "+l.joins+" WHERE "+l.sql()+" "+tail+" LIMIT ? OFFSET ?)", tail,
		append(l.args[:len(l.args):len(l.args)], limit, max(l.off, 0))...)
	if err != nil {
		return nil, 0, err
	}
	var size int64
	_, err = one(q, "SELECT COUNT(*) FROM "+cl.table+" t "+l.joins+" WHERE "+l.sql(), l.args, &size)
	return recs, size, err
}

// list runs a listing and answers with the envelope of a list. bare leaves only
// collection and size, as the community edition does for jobs, images and users.
func (s *Server) list(c *call, cl *class, l *listing, bare bool) error {
	q := s.store.read(c.ctx())
	recs, size, err := cl.page(q, l)
	if err != nil {
		return err
	}
	if err := cl.json(c, q, recs...); err != nil {
		return err
	}
	if bare {
		return c.json(http.StatusOK, map[string]any{"collection": recs, "size": size})
	}
	return c.json(http.StatusOK, listEnvelope(recs, l.off, l.max, size))
}

// listEnvelope is the full answer of a list; totalPages is a float on the wire.
func listEnvelope(collection any, offset, limit, size int64) map[string]any {
	if limit <= 0 {
		limit = math.MaxInt32
	}
	return map[string]any{
		"collection": collection, "offset": offset, "perPage": min(limit, size), "size": size,
		"totalPages": double(math.Ceil(float64(size) / float64(limit))),
	}
}

// slice answers with a list that is already in memory, paged like any other.
func slice[T any](c *call, all []T) error {
	off, limit := c.long("offset", 0), c.long("max", 0)
	size := int64(len(all))
	from := min(max(off, 0), size)
	to := size
	if limit > 0 {
		to = min(from+limit, size)
	}
	page := all[from:to]
	if page == nil {
		page = []T{}
	}
	return c.json(http.StatusOK, listEnvelope(page, off, limit, size))
}
