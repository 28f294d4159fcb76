package forms

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// tomlReader reads the part of TOML that a parameter file needs: one NAME =
// VALUE for each parameter, where a value is a string, a number, true or false, a
// date or a list of these. Tables have no meaning here and are refused.
//
// It is our own reader because a form needs what TOML libraries do not give:
// the place of every value, numbers as they were written, and all mistakes at
// once rather than the first. It takes time and memory in proportion to the text.
type tomlReader struct {
	data     string
	at       int // offset of the next character
	line     int // of at, from 1
	start    int // offset of the first character of the line
	file     *File
	problems Problems
}

// syntaxError is a mistake at a place; reading goes on at the next line.
type syntaxError struct {
	at      place
	message string
}

func (r *tomlReader) fail(format string, args ...any) *syntaxError {
	return r.failAt(r.here(), format, args...)
}

func (r *tomlReader) failAt(at mark, format string, args ...any) *syntaxError {
	return &syntaxError{r.place(at), fmt.Sprintf(format, args...)}
}

// mark is where something begins, which costs nothing to remember.
type mark struct{ at, line, start int }

func (r *tomlReader) here() mark { return mark{r.at, r.line, r.start} }

func (r *tomlReader) place(m mark) place {
	return place{m.line, 1 + utf8.RuneCountInString(r.data[m.start:m.at])}
}

func (r *tomlReader) read() {
	r.line = 1
	for r.blank(); r.at < len(r.data); r.blank() {
		if len(r.file.Values) >= maxValues || len(r.problems) >= maxMistakes {
			r.problems = append(r.problems, located("", fmt.Sprintf("more than %d values or %d mistakes up to here; this is no parameter file", maxValues, maxMistakes), r.place(r.here())))
			return
		}
		name, from := "", r.at
		err := func() *syntaxError {
			at := r.here()
			var err *syntaxError
			if name, err = r.key(); err != nil {
				return err
			}
			text, err := r.value()
			if err != nil {
				return err
			}
			if err := r.endOfLine(); err != nil {
				return err
			}
			r.file.add(name, text, r.place(at))
			return nil
		}()
		if err != nil {
			r.problems = append(r.problems, located(name, err.message, err.at))
			r.skipLine(from)
		}
	}
}

// blank skips white space, line ends and comments.
func (r *tomlReader) blank() {
	for r.at < len(r.data) {
		switch r.data[r.at] {
		case ' ', '\t', '\r':
			r.at++
		case '\n':
			r.newline()
		case '#':
			r.comment()
		default:
			return
		}
	}
}

func (r *tomlReader) newline() {
	r.at++
	r.line++
	r.start = r.at
}

func (r *tomlReader) comment() {
	if end := strings.IndexByte(r.data[r.at:], '\n'); end >= 0 {
		r.at += end
		return
	}
	r.at = len(r.data)
}

func (r *tomlReader) spaces() {
	for r.at < len(r.data) && (r.data[r.at] == ' ' || r.data[r.at] == '\t') {
		r.at++
	}
}

// skipLine goes to the end of the line, after a mistake in a value that began at
// from: always further than that.
func (r *tomlReader) skipLine(from int) {
	r.at = max(r.at, from+1)
	r.at = min(r.at, len(r.data))
	r.comment()
}

// peek is the next character, 0 at the end.
func (r *tomlReader) peek() byte {
	if r.at < len(r.data) {
		return r.data[r.at]
	}
	return 0
}

func (r *tomlReader) endOfLine() *syntaxError {
	r.spaces()
	if r.peek() == '\r' {
		r.at++
	}
	switch r.peek() {
	case '#', '\n':
		return nil
	case 0:
		if r.at == len(r.data) {
			return nil
		}
	}
	return r.fail("there is more on the line than one value: %s", shown(r.rest()))
}

// rest is what remains of the line.
func (r *tomlReader) rest() string {
	s, _, _ := strings.Cut(r.data[r.at:min(len(r.data), r.at+200)], "\n")
	return strings.TrimSpace(s)
}

// shown quotes a piece of the file in a message.
func shown(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return strconv.Quote(s)
}

// key reads a name and the equals sign. Parts joined by dots are one name.
func (r *tomlReader) key() (string, *syntaxError) {
	if r.peek() == '[' {
		return "", r.fail("sections mean nothing here; write one NAME = VALUE for each parameter")
	}
	var parts []string
	for {
		part, err := r.keyPart()
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
		r.spaces()
		if r.peek() != '.' {
			break
		}
		r.at++
		r.spaces()
	}
	name := strings.Join(parts, ".")
	if r.peek() != '=' {
		return "", r.fail("a line is NAME = VALUE; the = is missing")
	}
	r.at++
	r.spaces()
	return name, nil
}

func (r *tomlReader) keyPart() (string, *syntaxError) {
	switch r.peek() {
	case '"', '\'':
		return r.quoted()
	}
	from := r.at
	for r.at < len(r.data) && isBareKey(r.data[r.at]) {
		r.at++
	}
	if r.at == from {
		return "", r.fail("a line is NAME = VALUE; %s is no name, unless it is in quotes", shown(r.rest()))
	}
	return r.data[from:r.at], nil
}

func isBareKey(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// value reads a scalar or a list; the text of a list is its items joined by
// commas.
func (r *tomlReader) value() (string, *syntaxError) {
	if r.peek() != '[' {
		return r.scalar()
	}
	open := r.here()
	r.at++
	var items strings.Builder
	for n := 0; ; n++ {
		r.blank()
		switch r.peek() {
		case ']':
			r.at++
			return items.String(), nil
		case '[', '{':
			return "", r.fail("a list holds values, no lists or tables")
		case 0:
			return "", r.failAt(open, "the list is not closed; ] is missing")
		}
		item, err := r.scalar()
		if err != nil {
			return "", err
		}
		if n > 0 {
			items.WriteByte(',')
		}
		items.WriteString(item)
		r.blank()
		switch r.peek() {
		case ',':
			r.at++
		case ']':
		case 0:
			return "", r.failAt(open, "the list is not closed; ] is missing")
		default:
			return "", r.fail("items of a list have a comma between them")
		}
	}
}

func (r *tomlReader) scalar() (string, *syntaxError) {
	switch c := r.peek(); {
	case c == '"' || c == '\'':
		return r.quoted()
	case c == '{':
		return "", r.fail("a table is no value")
	case c == '\n' || c == '#' || c == '\r' || r.at == len(r.data):
		return "", r.fail(`the value is missing; write "" for none`)
	}
	from, at := r.at, r.here()
	r.word()
	if dayPattern().MatchString(r.data[from:r.at]) && r.at+1 < len(r.data) && r.data[r.at] == ' ' && isDigit(r.data[r.at+1]) {
		r.at++ // a date and a time with a space between them
		r.word()
	}
	word := r.data[from:r.at]
	switch {
	case word == "":
		return "", r.failAt(at, `a value is missing before %s`, shown(r.rest()))
	case word == "true" || word == "false" || datePattern().MatchString(word):
		return word, nil
	case numberPattern().MatchString(word):
		return strings.ReplaceAll(word, "_", ""), nil
	case basePattern().MatchString(word):
		if n, err := strconv.ParseInt(word, 0, 64); err == nil {
			return strconv.FormatInt(n, 10), nil
		}
	}
	return "", r.failAt(at, `%s is no number and no date; text needs quotes: "…"`, shown(word))
}

func (r *tomlReader) word() {
	for r.at < len(r.data) && !strings.ContainsRune(" \t\r\n,]}#\"'=", rune(r.data[r.at])) {
		r.at++
	}
}

var (
	dayPattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	})
	datePattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?)?|\d\d:\d\d(:\d\d(\.\d+)?)?)$`)
	})
	// dateTimePattern is what every reader of TOML takes for a date.
	dateTimePattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?$`)
	})
	numberPattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[+-]?(\d+(_\d+)*)(\.\d+(_\d+)*)?([eE][+-]?\d+(_\d+)*)?$`)
	})
	basePattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^0(x[0-9a-fA-F_]+|o[0-7_]+|b[01_]+)$`)
	})
)

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// quoted reads a string of one of TOML's four kinds.
func (r *tomlReader) quoted() (string, *syntaxError) {
	open, quote := r.here(), r.data[r.at:r.at+1]
	long := strings.HasPrefix(r.data[r.at:], strings.Repeat(quote, 3))
	if long {
		quote = strings.Repeat(quote, 3)
	}
	r.at += len(quote)
	if long {
		if strings.HasPrefix(r.data[r.at:], "\r\n") {
			r.at++
		}
		if r.peek() == '\n' {
			r.newline()
		}
	}
	var b strings.Builder
	for r.at < len(r.data) {
		c := r.data[r.at]
		switch {
		case strings.HasPrefix(r.data[r.at:], quote):
			r.at += len(quote)
			for extra := 0; long && extra < 2 && r.peek() == quote[0]; extra++ {
				b.WriteByte(quote[0]) // quotes just before the closing ones belong to the text
				r.at++
			}
			return b.String(), nil
		case c == '\\' && quote[0] == '"':
			if err := r.escape(&b, long); err != nil {
				return "", err
			}
		case c == '\n':
			if !long {
				return "", r.failAt(open, "the string is not closed before the end of its line")
			}
			b.WriteByte('\n')
			r.newline()
		case c < ' ' && c != '\t' && c != '\r' || c == 0x7f:
			return "", r.fail("a control character; write it as \\u%04X", c)
		default:
			b.WriteByte(c)
			r.at++
		}
	}
	return "", r.failAt(open, "the string is not closed")
}

var escapes = map[byte]byte{'b': '\b', 't': '\t', 'n': '\n', 'f': '\f', 'r': '\r', 'e': 0x1b, '"': '"', '\\': '\\'}

// escape reads what follows a backslash.
func (r *tomlReader) escape(b *strings.Builder, long bool) *syntaxError {
	at := r.here()
	r.at++
	c := r.peek()
	if plain, ok := escapes[c]; ok {
		b.WriteByte(plain)
		r.at++
		return nil
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	switch {
	case digits > 0 && r.at+digits < len(r.data):
		n, err := strconv.ParseUint(r.data[r.at+1:r.at+1+digits], 16, 32)
		if err == nil && utf8.ValidRune(rune(n)) {
			b.WriteRune(rune(n))
			r.at += 1 + digits
			return nil
		}
	case long && (c == '\n' || c == ' ' || c == '\t' || c == '\r'):
		// A backslash at the end of a line takes the white space after it away.
		before := r.line
		for r.at < len(r.data) && strings.ContainsRune(" \t\r\n", rune(r.data[r.at])) {
			if r.data[r.at] == '\n' {
				r.newline()
			} else {
				r.at++
			}
		}
		if r.line > before {
			return nil
		}
	}
	return r.failAt(at, `a backslash in "…" begins an escape such as \n; write \\ for the backslash itself, or use '…'`)
}
