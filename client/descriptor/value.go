package descriptor

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Value is what was chosen for one parameter. The zero Value is no value; two
// Values may be compared with ==, which is stricter than Equal.
type Value struct {
	typ  Type
	text string // canonical
}

// ParseValue reads what a person typed, what a server stored or what a
// descriptor gives as default. Spaces around the text are ignored except in a
// String, and empty text is no value. The error says what is wrong with the
// text in words for people, such as `"abc" is not a number`.
func ParseValue(t Type, text string) (Value, error) {
	switch {
	case strings.ContainsRune(text, 0):
		return Value{}, errors.New("contains a zero byte, which no program can be given")
	case !utf8.ValidString(text):
		return Value{}, errors.New("is not UTF-8 text")
	case t == String || t == "":
		return Value{t, text}, nil
	}
	// Dropping an empty item can bare a pair of quotes or brackets, so once
	// is not always enough; every further pass makes the text shorter.
	for {
		canonical, err := canonicalText(t, text)
		if err != nil {
			return Value{}, err
		}
		if canonical == text {
			return Value{t, canonical}, nil
		}
		text = canonical
	}
}

func canonicalText(t Type, text string) (string, error) {
	text = strings.TrimSpace(unquote(strings.TrimSpace(text)))
	if text == "" {
		return "", nil
	}
	switch t {
	case Number:
		d, err := parseDecimal(text)
		return d.text(), err
	case Boolean:
		b, err := parseBool(text)
		return strconv.FormatBool(b), err
	case Date:
		d, err := parseDate(text)
		return d.text(), err
	case Domain:
		return parseDomain(text)
	case ListDomain:
		return strings.Join(unique(splitIDs(text)), ","), nil
	case List:
		return strings.Join(splitItems(text), ","), nil
	}
	return text, nil
}

// unquote drops one pair of quotes around text. Cytomine servers before 2.0
// stored values with the quotes that their clients had to send.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' && strings.Count(s, `"`) == 2 {
		return s[1 : len(s)-1]
	}
	return s
}

// IsSet reports whether there is a value; the empty text is none, as on the
// server.
func (v Value) IsSet() bool { return v.text != "" }

// Type returns the type the value was read as; empty for the zero Value.
func (v Value) Type() Type { return v.typ }

// Text returns the canonical text, which is what the server stores and the
// program is given: numbers without needless zeros ("1", "0.5"), true or
// false, items joined by commas ("12,13"), dates as 2024-01-31, or RFC 3339
// where a time was given. Text is stable: reading it again gives it back.
func (v Value) Text() string { return v.text }

// Display returns the value for people. Strings come as they are and must be
// cleaned before they reach a terminal.
func (v Value) Display() string {
	if v.typ.IsList() {
		return strings.Join(v.List(), ", ")
	}
	return v.text
}

// Number returns the value as a number, also that of a String or a Domain
// that reads as one.
func (v Value) Number() (float64, bool) {
	switch v.typ {
	case Number, String, Domain, "":
		if d, err := parseDecimal(v.text); err == nil {
			f, err := strconv.ParseFloat(d.text(), 64)
			return f, err == nil
		}
	}
	return 0, false
}

// Time returns the instant of a Date; a day without a time begins at midnight
// UTC.
func (v Value) Time() (time.Time, bool) {
	if v.typ == Date {
		if d, err := parseDate(v.text); err == nil {
			return d.at, true
		}
	}
	return time.Time{}, false
}

// List returns the items of a list, one item for any other value, and nil
// when there is no value.
func (v Value) List() []string {
	switch {
	case v.text == "":
		return nil
	case v.typ.IsList():
		return strings.Split(v.text, ",")
	}
	return []string{v.text}
}
