package program

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The flags below read values as a launcher of Cytomine apps writes them: a
// value always follows its flag, also for a Boolean.

// boolean is a Boolean parameter.
type boolean bool

func (b *boolean) String() string { return strconv.FormatBool(bool(*b)) }

// Set reads the words that Cytomine's own client takes.
func (b *boolean) Set(s string) error {
	switch strings.ToLower(s) {
	case "true", "yes", "1":
		*b = true
	case "false", "no", "0":
		*b = false
	default:
		return fmt.Errorf("%q is neither true nor false", s)
	}
	return nil
}

// number is a Number parameter with inclusive limits. Set tells whether it was
// given at all.
type number struct {
	value    float64
	min, max float64
	integer  bool
	given    bool
}

func (n *number) String() string { return strconv.FormatFloat(n.value, 'g', -1, 64) }

func (n *number) Set(s string) error {
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || math.IsNaN(v):
		return fmt.Errorf("%q is not a number", s)
	case n.integer && v != math.Trunc(v):
		return fmt.Errorf("%s is not a whole number", s)
	case v < n.min || v > n.max:
		return fmt.Errorf("%s is not between %g and %g", s, n.min, n.max)
	}
	n.value, n.given = v, true
	return nil
}

func (n *number) int() int { return int(n.value) }

// choice is a String parameter with permitted values.
type choice struct {
	value   string
	choices []string
}

func (c *choice) String() string { return c.value }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.choices, s) {
		return fmt.Errorf("%q is none of: %s", s, strings.Join(c.choices, ", "))
	}
	c.value = s
	return nil
}

// day is a Date parameter.
type day struct{ time.Time }

func (d *day) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.RFC3339)
}

// Set reads a day, a time, or milliseconds since 1970.
func (d *day) Set(s string) error {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			d.Time = t
			return nil
		}
	}
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		d.Time = time.UnixMilli(ms).UTC()
		return nil
	}
	return fmt.Errorf("%q is no date; write it as 2024-01-31", s)
}

// ids is a Domain or ListDomain parameter.
type ids []int64

func (l *ids) String() string {
	words := make([]string, len(*l))
	for i, id := range *l {
		words[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(words, ",")
}

func (l *ids) Set(s string) error {
	*l = nil
	for word := range strings.SplitSeq(s, ",") {
		id, err := strconv.ParseInt(strings.TrimSpace(word), 10, 64)
		if err != nil || id <= 0 {
			return fmt.Errorf("%q is no id", word)
		}
		*l = append(*l, id)
	}
	return nil
}

// id is a Domain parameter, 0 for none.
type id int64

func (i *id) String() string { return strconv.FormatInt(int64(*i), 10) }

func (i *id) Set(s string) error {
	var l ids
	if err := l.Set(s); err != nil {
		return err
	}
	if len(l) != 1 {
		return fmt.Errorf("%q is more than one id", s)
	}
	*i = id(l[0])
	return nil
}

// site is where to work, with the arguments that a server fills itself.
type site struct {
	host, publicKey, privateKey string
	project, software           id
}

func (s *site) define(flags *flag.FlagSet) {
	flags.StringVar(&s.host, "cytomine_host", "", "`address` of the server")
	flags.StringVar(&s.publicKey, "cytomine_public_key", "", "public `key` of the job's user")
	flags.StringVar(&s.privateKey, "cytomine_private_key", "", "private `key` of the job's user")
	flags.Var(&s.project, "cytomine_id_project", "`id` of the project")
	flags.Var(&s.software, "cytomine_id_software", "`id` of the algorithm")
}
