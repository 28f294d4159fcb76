package cytomine

import (
	"bytes"
	"encoding/json"
)

// eachField calls f with the name and the raw value of every field of a JSON
// object, until f says stop. The bytes must be valid JSON, as json.Decoder
// hands them out; anything but an object has no fields. It exists because a
// list may have 100,000 rows of 40 fields, and reading each into a map of raw
// messages first costs ten times as much.
func eachField(raw []byte, f func(name, value []byte) (more bool)) {
	i := skipSpace(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return
	}
	i++
	for {
		i = skipSpace(raw, i)
		if i >= len(raw) || raw[i] != '"' {
			return // the closing brace
		}
		end := skipValue(raw, i)
		name := unquoted(raw[i:end])
		i = skipSpace(raw, end)
		if i >= len(raw) || raw[i] != ':' {
			return
		}
		i = skipSpace(raw, i+1)
		end = skipValue(raw, i)
		if end == i || !f(name, raw[i:end]) {
			return
		}
		i = skipSpace(raw, end)
		if i >= len(raw) || raw[i] != ',' {
			return
		}
		i++
	}
}

func skipSpace(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\t' || raw[i] == '\n' || raw[i] == '\r') {
		i++
	}
	return i
}

// skipValue gives the index after the value that begins at i.
func skipValue(raw []byte, i int) int {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			i = skipString(raw, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\n', '\r':
			i++
		default: // a number, true, false, null
			for i < len(raw) && !bytes.ContainsRune([]byte(",:]} \t\n\r"), rune(raw[i])) {
				i++
			}
		}
		if depth <= 0 {
			return i
		}
	}
	return i
}

func skipString(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

// unquoted gives the text of a JSON string.
func unquoted(raw []byte) []byte {
	inner := raw[1:max(1, len(raw)-1)]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	return scalar(raw)
}

// rowID reads the field id of a row, 0 where it has none.
func rowID(raw []byte) (id number) {
	eachField(raw, func(name, value []byte) bool {
		if string(name) != "id" {
			return true
		}
		_ = json.Unmarshal(value, &id) // never fails
		return false
	})
	return id
}
