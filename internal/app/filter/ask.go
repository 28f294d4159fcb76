package filter

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// textual is a condition on text: any of the values stands in it, or with = is
// all of it.
func textual(c *condition, get func(*Record) string) (func(*Record) bool, error) {
	values := c.values
	switch c.op {
	case ":":
		if len(values) == 1 {
			v := values[0]
			return func(r *Record) bool { return strings.Contains(get(r), v) }, nil
		}
		return func(r *Record) bool {
			s := get(r)
			return slices.ContainsFunc(values, func(v string) bool { return strings.Contains(s, v) })
		}, nil
	case "=":
		return func(r *Record) bool { return slices.Contains(values, get(r)) }, nil
	}
	return nil, fmt.Errorf("%s is text: write %s:%s", c.name, c.name, values[0])
}

// stateIs adds to the words of states what people say for several of them.
func stateIs(c *condition) (func(*Record) bool, bool, error) {
	plain, err := textual(c, func(r *Record) string { return r.State })
	if err != nil {
		return nil, true, err
	}
	live, ended := slices.Contains(c.values, "live"), slices.Contains(c.values, "ended")
	return func(r *Record) bool { return plain(r) || live && r.Live || ended && !r.Live }, true, nil
}

func tagged(c *condition) (func(*Record) bool, error) {
	values := c.values
	switch c.op {
	case "=", ":":
	default:
		return nil, errors.New("tag takes a name after a colon, such as tag:good")
	}
	exact := c.op == "="
	return func(r *Record) bool {
		return slices.ContainsFunc(r.Tags, func(t string) bool {
			return slices.ContainsFunc(values, func(v string) bool { return t == v || !exact && strings.HasPrefix(t, v) })
		})
	}, nil
}

var flags = []struct {
	name string
	get  func(*Record) bool
}{
	{"starred", func(r *Record) bool { return r.Star }},
	{"live", func(r *Record) bool { return r.Live }},
	{"ended", func(r *Record) bool { return !r.Live }},
	{"mine", func(r *Record) bool { return r.Mine }},
	{"here", func(r *Record) bool { return r.Here }},
	{"old", func(r *Record) bool { return r.Old }},
	{"noted", func(r *Record) bool { return r.Note != "" }},
	{"tagged", func(r *Record) bool { return len(r.Tags) > 0 }},
	{"grouped", func(r *Record) bool { return r.Group != "" }},
}

func flagged(c *condition) (func(*Record) bool, error) {
	var gets []func(*Record) bool
	for _, v := range c.values {
		at := slices.IndexFunc(flags, func(f struct {
			name string
			get  func(*Record) bool
		}) bool {
			return f.name == v || len(v) >= 3 && strings.HasPrefix(f.name, v)
		})
		if at < 0 {
			names := make([]string, len(flags))
			for i, f := range flags {
				names[i] = f.name
			}
			return nil, fmt.Errorf("is:%s: use one of %s", v, strings.Join(names, ", "))
		}
		gets = append(gets, flags[at].get)
	}
	return func(r *Record) bool {
		return slices.ContainsFunc(gets, func(get func(*Record) bool) bool { return get(r) })
	}, nil
}

// bound is one value, or a range, of numbers.
type bound struct{ low, high float64 }

func bounds(values []string, unit func(string) (float64, error)) ([]bound, error) {
	var out []bound
	for _, v := range values {
		low, high, ranged := strings.Cut(v, "..")
		b := bound{math.Inf(-1), math.Inf(1)}
		for _, end := range []struct {
			s    string
			into *float64
		}{{low, &b.low}, {high, &b.high}} {
			if end.s == "" {
				continue
			}
			n, err := unit(end.s)
			if err != nil {
				return nil, err
			}
			*end.into = n
		}
		if !ranged {
			b.high = b.low
		}
		out = append(out, b)
	}
	return out, nil
}

// numeric is a condition on a number.
func numeric(c *condition, unit func(string) (float64, error), get func(*Record) (float64, bool)) (func(*Record) bool, error) {
	test, err := numberTest(c.op, c.values, unit)
	if err != nil {
		return nil, fmt.Errorf("%s%s%s: %w", c.name, c.op, strings.Join(c.values, ","), err)
	}
	return func(r *Record) bool {
		n, ok := get(r)
		return ok && test(n)
	}, nil
}

func numberTest(op string, values []string, unit func(string) (float64, error)) (func(float64) bool, error) {
	if op == ":" || op == "=" {
		bs, err := bounds(values, unit)
		if err != nil {
			return nil, err
		}
		return func(n float64) bool {
			return slices.ContainsFunc(bs, func(b bound) bool { return n >= b.low && n <= b.high })
		}, nil
	}
	v, err := unit(values[0])
	if err != nil {
		return nil, err
	}
	switch op {
	case ">":
		return func(n float64) bool { return n > v }, nil
	case ">=":
		return func(n float64) bool { return n >= v }, nil
	case "<":
		return func(n float64) bool { return n < v }, nil
	}
	return func(n float64) bool { return n <= v }, nil
}

func plainNumber(s string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSuffix(s, "%"), "#"), 64)
	if err != nil || math.IsNaN(n) {
		return 0, errors.New("no number")
	}
	return n, nil
}

// seconds reads a length of time; a bare number is seconds.
func seconds(s string) (float64, error) {
	if n, err := plainNumber(s); err == nil {
		return n, nil
	}
	d, err := span(s)
	if err != nil {
		return 0, errors.New("no length of time; write 90s, 30m, 2h or 1d")
	}
	return d.Seconds(), nil
}

// field is the condition of a parameter or result. Its values are numbers where
// both sides are, else text. A name with an asterisk at its end means all that
// begin so.
func field(c *condition, p piece, value string) error {
	c.field = true
	any, kind := true, Parameter
	if rest, ok := strings.CutPrefix(c.name, "param."); ok {
		c.name, any, kind = rest, false, Parameter
	} else if rest, ok := strings.CutPrefix(c.name, "result."); ok {
		c.name, any, kind = rest, false, Result
	}
	if c.name == "" {
		return fmt.Errorf("%s%s: no name before it", p.name, p.op)
	}
	name, open := strings.CutSuffix(c.name, "*")
	test, numberErr := numberTest(c.op, c.values, plainNumber)
	compares := c.op != ":" && c.op != "="
	values, exact := c.values, c.op == "="
	asText := func(s string) bool {
		if compares {
			n := cmp.Compare(s, value)
			return c.op == ">" && n > 0 || c.op == ">=" && n >= 0 || c.op == "<" && n < 0 || c.op == "<=" && n <= 0
		}
		return slices.ContainsFunc(values, func(v string) bool {
			return s == v || !exact && strings.Contains(s, v)
		})
	}
	c.ask = func(r *Record) bool {
		for i := range r.Fields {
			f := &r.Fields[i]
			if f.Name != name && !(open && strings.HasPrefix(f.Name, name)) || !any && f.Kind != kind {
				continue
			}
			switch {
			case f.IsNumber && numberErr == nil:
				if test(f.Number) {
					return true
				}
			case compares && numberErr == nil:
				// Text is neither more nor less than a number.
			case asText(f.Text):
				return true
			}
		}
		return false
	}
	return nil
}
