package filter

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Language is what a query is read with.
type Language struct {
	Now time.Time
	// Typing leaves out, without an error, what is not complete yet, such as
	// "sigma>" at the end.
	Typing bool
	// Saved are queries by name; @night stands for the one named night.
	Saved map[string]string
}

// mostConditions bounds what saved queries that name others may grow to.
const mostConditions = 1000

// Parse reads a query. The error tells everything that cannot be understood; the
// query is good for the rest, because one also filters while typing.
func (l Language) Parse(s string) (Query, error) {
	q, err := l.parse(s, nil)
	// Words cost most: they are asked last.
	slices.SortStableFunc(q.conditions, func(a, b condition) int { return rank(a) - rank(b) })
	return q, err
}

func rank(c condition) int {
	if c.word {
		return 1
	}
	return 0
}

// parse reads a query; inside names the saved ones that it stands in.
func (l Language) parse(s string, inside []string) (Query, error) {
	var q Query
	var wrong []error
	for _, p := range split(s) {
		typed := l.Typing && inside == nil && strings.HasSuffix(s, p.value)
		switch name, saved := strings.CutPrefix(p.value, "@"); {
		case p.incomplete:
			if !typed {
				wrong = append(wrong, fmt.Errorf("%s%s needs a value", p.name, p.op))
			}
		case p.name == "" && saved && name != "" && !p.quoted:
			cs, err := l.saved(name, p.not, inside)
			if err != nil && !typed {
				wrong = append(wrong, err)
			}
			if len(q.conditions)+len(cs) > mostConditions {
				return q, fmt.Errorf("@%s: more than %d conditions", name, mostConditions)
			}
			q.conditions = append(q.conditions, cs...)
		default:
			c, err := compile(p, l.Now)
			if err == nil {
				q.conditions = append(q.conditions, c)
			} else if !typed {
				wrong = append(wrong, err)
			}
		}
	}
	return q, errors.Join(wrong...)
}

// saved are the conditions of a saved query.
func (l Language) saved(name string, not bool, inside []string) ([]condition, error) {
	s, ok := l.Saved[name]
	if !ok {
		return nil, fmt.Errorf("no saved filter @%s", name)
	}
	if slices.Contains(inside, name) || len(inside) > 8 {
		return nil, fmt.Errorf("saved filter @%s names itself", name)
	}
	q, err := l.parse(s, append(inside[:len(inside):len(inside)], name))
	if err != nil {
		err = fmt.Errorf("in @%s: %w", name, err)
	}
	if !not {
		return q.conditions, err
	}
	// Turned around, all of it is one condition.
	c := condition{not: true, word: true, name: "@" + name, field: q.NeedsFields(), ask: q.Match}
	return []condition{c}, err
}

// compile makes a condition of a piece.
func compile(p piece, now time.Time) (condition, error) {
	c := condition{not: p.not, name: p.name, op: p.op}
	if p.op == "!=" {
		c.not, c.op, p.op = !c.not, "=", "="
	}
	value := strings.ToLower(p.value)
	c.values = []string{value}
	if !p.quoted && (p.op == ":" || p.op == "=") {
		c.values = alternatives(value)
	}
	if p.name == "" {
		c.word = true
		c.ask = func(r *Record) bool { return strings.Contains(r.Text, value) }
		return c, nil
	}
	if ask, ok, err := column(&c, p, value, now); err != nil || ok {
		c.ask = ask
		return c, err
	}
	return c, field(&c, p, value)
}

func alternatives(value string) []string {
	var out []string
	for _, v := range strings.Split(value, ",") {
		if v != "" {
			out = append(out, v)
		}
	}
	if out == nil {
		return []string{value}
	}
	return out
}

// column is the condition of a column; ok is false for a name that is none.
func column(c *condition, p piece, value string, now time.Time) (ask func(*Record) bool, ok bool, err error) {
	text := func(get func(*Record) string) (func(*Record) bool, bool, error) {
		ask, err := textual(c, get)
		return ask, true, err
	}
	number := func(unit func(string) (float64, error), get func(*Record) (float64, bool)) (func(*Record) bool, bool, error) {
		ask, err := numeric(c, unit, get)
		return ask, true, err
	}
	switch p.name {
	case "state":
		return stateIs(c)
	case "by":
		ask, err := textual(c, func(r *Record) string { return r.By })
		if err == nil && slices.Contains(c.values, "me") {
			plain := ask
			ask = func(r *Record) bool { return r.Mine || plain(r) }
		}
		return ask, true, err
	case "algorithm":
		return text(func(r *Record) string { return r.Algorithm })
	case "version":
		return text(func(r *Record) string { return r.Version })
	case "where":
		return text(func(r *Record) string { return r.Where })
	case "error":
		return text(func(r *Record) string { return r.Error })
	case "note":
		return text(func(r *Record) string { return r.Note })
	case "group":
		return text(func(r *Record) string { return r.Group })
	case "id":
		return text(func(r *Record) string { return r.ID })
	case "job":
		return text(func(r *Record) string { return r.Job })
	case "tag":
		ask, err := tagged(c)
		return ask, true, err
	case "is":
		ask, err := flagged(c)
		return ask, true, err
	case "since", "before", "ended":
		ask, err := timed(c, p, value, now)
		return ask, true, err
	case "took":
		return number(seconds, func(r *Record) (float64, bool) { return r.Took.Seconds(), r.Took > 0 })
	case "progress":
		return number(plainNumber, func(r *Record) (float64, bool) { return float64(r.Progress), r.Progress >= 0 })
	case "number":
		return number(plainNumber, func(r *Record) (float64, bool) { return float64(r.Number), r.Number > 0 })
	case "annotations":
		return number(plainNumber, func(r *Record) (float64, bool) { return float64(r.Annotations), r.Annotations >= 0 })
	}
	return nil, false, nil
}

// timed reads since:, before: and ended:.
func timed(c *condition, p piece, value string, now time.Time) (func(*Record) bool, error) {
	if p.op != ":" && p.op != "=" {
		return nil, fmt.Errorf("%s takes a time after a colon, such as %s:7d", p.name, p.name)
	}
	at, err := when(value, now)
	if err != nil {
		return nil, fmt.Errorf("%s:%s: %w", p.name, value, err)
	}
	c.at = at
	switch p.name {
	case "since":
		return func(r *Record) bool { return !r.Created.Before(at) }, nil
	case "before":
		return func(r *Record) bool { return r.Created.Before(at) }, nil
	}
	return func(r *Record) bool { return !r.Ended.IsZero() && !r.Ended.Before(at) }, nil
}

// when reads a time: so long ago, a date, a date with a time, or a day's name.
func when(s string, now time.Time) (time.Time, error) {
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch s {
	case "today":
		return day, nil
	case "yesterday":
		return day.AddDate(0, 0, -1), nil
	}
	if d, err := span(s); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02t15:04", "2006-01-02t15:04:05", "2006-01"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("no time; write 7d, 12h, 30m, today or 2026-05-01")
}

// span reads a length of time: 90s, 30m, 12h, 7d, 2w, 1h30m.
func span(s string) (time.Duration, error) {
	if s == "" {
		return 0, errors.New("no length of time")
	}
	total := 0.0
	for s != "" {
		n := 0
		for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.') {
			n++
		}
		v, err := strconv.ParseFloat(s[:n], 64)
		if err != nil || n == len(s) {
			return 0, errors.New("no length of time")
		}
		u := n
		for u < len(s) && s[u] >= 'a' && s[u] <= 'z' {
			u++
		}
		unit, ok := units[s[n:u]]
		if !ok {
			return 0, fmt.Errorf("%q is no unit of time", s[n:u])
		}
		total += v * float64(unit)
		s = s[u:]
	}
	const most = 200 * 365 * 24 * time.Hour
	return time.Duration(min(total, float64(most))), nil
}

var units = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "sec": time.Second, "m": time.Minute, "min": time.Minute,
	"h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}
