// Package filter is the language in which people say which analyses they mean:
//
//	nuclei state:failed by:me since:7d sigma>2 -tag:bad "out of memory"
//
// All conditions must hold. A word stands for itself anywhere in what is known of
// an analysis; quotes hold blanks together; a minus turns a condition around.
// NAME:VALUE looks for text in a column, NAME=VALUE for all of it, and > >= < <=
// compare numbers, times and sizes. VALUE may list alternatives with commas, and
// 2..5 is a range. A NAME that is no column is a parameter or a result of the
// analysis; param.NAME and result.NAME say which when a column has the same name.
//
// The package is pure. It is asked at each key about 100,000 analyses, so what a
// condition needs is prepared once, in a Record, and reading a query is done once,
// in Language.Parse.
package filter

import (
	"strings"
	"time"
)

// Record is what a filter can ask of one analysis. Text is in lower case
// everywhere; a time of zero is unknown. What is asked most comes first, in one
// line of the processor's memory.
type Record struct {
	Text string // what words look for

	State, Group, By, Algorithm, Version, Where, ID, Job, Note, Error string

	Tags []string
	// Mine tells that the person who asks launched it.
	Mine                  bool
	Live, Star, Here, Old bool

	Created, Ended time.Time
	Took           time.Duration // 0: unknown
	Progress       int           // -1: unknown
	Number         int
	Annotations    int // -1: unknown

	// Fields are parameters and results; nil while they have not been read.
	Fields []Field
}

// Kind parts parameters from results.
type Kind byte

// The kinds of a field.
const (
	Parameter Kind = iota
	Result
)

// Field is one parameter or result of an analysis. Name and Text are in lower
// case.
type Field struct {
	Kind     Kind
	Name     string
	Text     string
	Number   float64
	IsNumber bool
}

// Query is what a Language read. The zero Query matches everything.
type Query struct {
	conditions []condition
}

// condition is one part of a query.
type condition struct {
	not  bool
	ask  func(r *Record) bool
	word bool // costs more than all others

	// What the condition is about, for those who ask a server.
	name   string
	op     string
	values []string
	at     time.Time
	field  bool // a parameter or result
}

// Match tells whether an analysis has all that the query asks for.
func (q Query) Match(r *Record) bool {
	for i := range q.conditions {
		if c := &q.conditions[i]; c.ask(r) == c.not {
			return false
		}
	}
	return true
}

// Empty tells that the query asks for nothing.
func (q Query) Empty() bool { return len(q.conditions) == 0 }

// NeedsFields tells whether a condition is about parameters or results, which
// lists do not read unless they must.
func (q Query) NeedsFields() bool { return len(q.FieldNames()) > 0 }

// FieldNames are the names of parameters and results that the query asks for.
func (q Query) FieldNames() []string {
	var names []string
	for _, c := range q.conditions {
		if c.field {
			names = append(names, c.name)
		}
	}
	return names
}

// Positive are the values of the conditions NAME:VALUE of one column, as far as
// they can narrow what a server is asked for; nil where they cannot.
func (q Query) Positive(column string) []string {
	for _, c := range q.conditions {
		if c.name == column && !c.not && !c.field && (c.op == ":" || c.op == "=") {
			return c.values
		}
	}
	return nil
}

// Between is the span of time that since: and before: leave; zero where open.
func (q Query) Between() (after, before time.Time) {
	for _, c := range q.conditions {
		if c.not || c.at.IsZero() {
			continue
		}
		if c.name == "since" && c.at.After(after) {
			after = c.at
		}
		if c.name == "before" && (before.IsZero() || c.at.Before(before)) {
			before = c.at
		}
	}
	return after, before
}

// Quote writes a value so that a query has it as one.
func Quote(value string) string {
	value = strings.ReplaceAll(value, `"`, "")
	if value == "" || strings.ContainsAny(value, " \t,") || strings.Contains(value, "..") {
		return `"` + value + `"`
	}
	return value
}

// Columns are the names that mean a column, with what they take, for help and
// completion.
var Columns = []struct{ Name, Help string }{
	{"state", "failed, succeeded, running, live, ended, …"},
	{"by", "who launched it; me"},
	{"algorithm", "its name"},
	{"version", "of the algorithm"},
	{"where", "here, a host, server"},
	{"since", "launched after: 7d, 12h, today, 2026-05-01"},
	{"before", "launched before"},
	{"ended", "ended after: 12h, today"},
	{"took", "how long it ran: took>2h"},
	{"progress", "percent: progress<50"},
	{"number", "its number: number=12"},
	{"annotations", "how many it wrote: annotations>100"},
	{"error", "text of its first error or reason"},
	{"tag", "a tag"},
	{"note", "text of a note"},
	{"group", "of a sweep or a split"},
	{"is", "starred, live, mine, here, old"},
	{"id", "part of the run id"},
	{"job", "id of the job"},
}
