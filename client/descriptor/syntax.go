package descriptor

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tailscale/hujson"
)

// Real descriptors have at most 20 kB, nest four deep and hold a few hundred
// values. The limits keep a hostile file from taking time, memory or the stack.
const (
	maxBytes  = 1 << 20
	maxDepth  = 64
	maxValues = 20_000
)

// syntax reads data as JSON in which commas before ] and }, comments and a
// byte order mark are tolerated with a warning, and says where it breaks
// otherwise.
func (r *reader) syntax() (hujson.Value, bool) {
	text := r.data
	if bom := []byte("\xef\xbb\xbf"); bytes.HasPrefix(text, bom) {
		r.warn(0, "the file starts with a byte order mark, which JSON forbids; save it as UTF-8 without one")
		text = append([]byte("   "), text[len(bom):]...) // same offsets
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		r.fail(0, "the file is UTF-16; save it as UTF-8")
		return hujson.Value{}, false
	}
	if len(bytes.TrimSpace(text)) == 0 {
		r.fail(0, "the file is empty")
		return hujson.Value{}, false
	}
	if len(text) > maxBytes {
		r.fail(0, "the file has %d bytes, more than the %d of the largest descriptor", len(text), maxBytes)
		return hujson.Value{}, false
	}
	if offset, message := overLimit(text); message != "" {
		r.fail(offset, "%s", message)
		return hujson.Value{}, false
	}
	tree, err := hujson.Parse(text)
	if err != nil {
		offset, message := explain(text, err)
		r.fail(offset, "%s", message)
		return hujson.Value{}, false
	}
	r.tolerated(&tree)
	if at := invalidUTF8(text); at >= 0 {
		r.warn(at, "byte 0x%02X is not UTF-8 and is read as �; save the file as UTF-8", text[at])
	}
	return tree, true
}

// overLimit finds the place where text nests too deep or holds too many
// values, skipping strings and comments as the parser does.
func overLimit(text []byte) (offset int, message string) {
	depth, values := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '/':
			i += commentLength(text[i:])
		case '{', '[':
			if depth++; depth > maxDepth {
				return i, fmt.Sprintf("values are nested more than %d deep", maxDepth)
			}
		case '}', ']':
			depth--
		case ',', ':':
			if values++; values > maxValues {
				return i, fmt.Sprintf("the file holds more than %d values; this is no descriptor", maxValues)
			}
		}
	}
	return 0, ""
}

// commentLength returns how many bytes to skip beyond the first of a comment.
func commentLength(b []byte) int {
	var end int
	switch {
	case bytes.HasPrefix(b, []byte("//")):
		end = bytes.IndexByte(b, '\n')
	case bytes.HasPrefix(b, []byte("/*")):
		if end = bytes.Index(b[2:], []byte("*/")); end >= 0 {
			end += len("/*") + 1
		}
	default:
		return 0
	}
	if end < 0 {
		return len(b)
	}
	return end
}

func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		c, n := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// tolerated warns about what hujson reads and JSON does not have.
func (r *reader) tolerated(tree *hujson.Value) {
	if tree.IsStandard() {
		return
	}
	commented := false
	extra := func(b hujson.Extra, end int) {
		if i := bytes.IndexByte(b, '/'); i >= 0 && !commented {
			commented = true
			r.warn(end-len(b)+i, "JSON has no comments; strict readers refuse this file")
		}
	}
	for v := range tree.All() {
		extra(v.BeforeExtra, v.StartOffset)
		extra(v.AfterExtra, v.EndOffset+len(v.AfterExtra))
		var last *hujson.Value
		var after hujson.Extra
		switch c := v.Value.(type) {
		case *hujson.Object:
			after = c.AfterExtra
			if n := len(c.Members); n > 0 {
				last = &c.Members[n-1].Value
			}
		case *hujson.Array:
			after = c.AfterExtra
			if n := len(c.Elements); n > 0 {
				last = &c.Elements[n-1]
			}
		}
		extra(after, v.EndOffset-1)
		if last != nil && last.AfterExtra != nil {
			comma := last.EndOffset + len(last.AfterExtra)
			r.warn(comma, "comma before %q; strict readers refuse this file", r.data[v.EndOffset-1])
		}
	}
}

// explain turns an error of hujson into an offset and words for people. Its
// errors give their place only as text.
func explain(text []byte, err error) (offset int, message string) {
	var line, column int
	_, message, _ = strings.Cut(err.Error(), ": ")
	if _, serr := fmt.Sscanf(message, "line %d, column %d:", &line, &column); serr != nil {
		return 0, message
	}
	_, message, _ = strings.Cut(message, ": ")
	offset = lineOffset(text, line) + column - 1
	offset = max(0, min(offset, len(text)))
	switch {
	case offset == len(text):
		if open := openString(text); open >= 0 {
			return open, "a string begins here and is not closed"
		}
		return offset, "the file ends too early"
	case text[offset] == '"' && strings.HasPrefix(message, "invalid literal"):
		return badString(text, offset)
	case strings.HasPrefix(message, "invalid literal"):
		word := strings.TrimPrefix(message, "invalid literal: ")
		return offset, quote(word) + " is not a JSON value; " + valueHint(word)
	case hasConflictMarker(text[offset:]):
		return offset, "a mark of an unresolved merge conflict"
	case strings.Contains(message, "expecting ','"):
		return offset, "expected a comma or the end before " + quoteRune(text[offset:])
	case strings.Contains(message, "after object name"):
		return offset, "expected a colon before " + quoteRune(text[offset:])
	case strings.Contains(message, "at start of object name"):
		return offset, "expected a name in double quotes, found " + quoteRune(text[offset:])
	case strings.Contains(message, "at start of value"):
		return offset, "expected a value, found " + quoteRune(text[offset:])
	case strings.Contains(message, "after top-level value"):
		return offset, "the descriptor ends before this; remove the rest"
	}
	return offset, message
}

func valueHint(word string) string {
	switch d, err := parseDecimal(word); {
	case err == nil:
		return "write " + d.text()
	case strings.EqualFold(word, "true"), strings.EqualFold(word, "false"):
		return "write " + strings.ToLower(word)
	case strings.EqualFold(word, "none"), strings.EqualFold(word, "null"):
		return "write null"
	}
	return "text belongs in double quotes"
}

func hasConflictMarker(b []byte) bool {
	for _, mark := range []string{"<<<<<<<", "=======", ">>>>>>>"} {
		if bytes.HasPrefix(b, []byte(mark)) {
			return true
		}
	}
	return false
}

func quoteRune(b []byte) string {
	c, _ := utf8.DecodeRune(b)
	return fmt.Sprintf("%q", c)
}

func lineOffset(text []byte, line int) int {
	offset := 0
	for ; line > 1; line-- {
		i := bytes.IndexByte(text[offset:], '\n')
		if i < 0 {
			return len(text)
		}
		offset += i + 1
	}
	return offset
}

// openString returns where the string that runs to the end of text begins.
func openString(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			start := i
			for i++; ; i++ {
				if i >= len(text) {
					return start
				}
				if text[i] == '"' {
					break
				}
				if text[i] == '\\' {
					i++
				}
			}
		case '/':
			i += commentLength(text[i:])
		}
	}
	return -1
}

// badString finds what is wrong in the string that begins at offset.
func badString(text []byte, offset int) (int, string) {
	for i := offset + 1; i < len(text) && text[i] != '"'; i++ {
		switch c := text[i]; {
		case c == '\n' || c == '\r':
			return offset, "a string begins here and is not closed on its line"
		case c < ' ':
			return i, fmt.Sprintf("character 0x%02x in a string must be written as \\u%04x", c, c)
		case c == '\\':
			if !validEscape(text[i:]) {
				return i, "unknown escape " + quote(string(text[i:min(i+2, len(text))])) + `; a backslash is written \\`
			}
			i++
		}
	}
	return offset, "this string is not valid JSON"
}

func validEscape(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	if b[1] != 'u' {
		return bytes.IndexByte([]byte(`"\/bfnrt`), b[1]) >= 0
	}
	if len(b) < 6 {
		return false
	}
	for _, c := range b[2:6] {
		if bytes.IndexByte([]byte("0123456789abcdefABCDEF"), c) < 0 {
			return false
		}
	}
	return true
}
