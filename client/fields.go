package client

import (
	"encoding/binary"
	"iter"
	"maps"
	"slices"
)

// Fields are the attributes of one option by name. They are packed: a list may
// hold 100,000 options with forty attributes each, and as maps these would take
// ten times the memory.
type Fields struct {
	// shared holds names and values that options of one list have in common. It
	// only grows, so that each Fields may keep the beginning that it knew.
	shared []string
	// packed is, for each attribute, the place of its name in shared, then its
	// value: twice the place of a shared one plus one, or twice its length and
	// the text itself. All numbers are varints.
	packed string
}

// MakeFields packs a few attributes.
func MakeFields(attributes map[string]string) Fields {
	var p FieldPacker
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		p.Add([]byte(name), []byte(attributes[name]))
	}
	return p.Fields()
}

// Get is the value of an attribute, empty where there is none.
func (f Fields) Get(name string) string {
	value, _ := f.Lookup(name)
	return value
}

// Lookup is Get that tells an empty attribute from none.
func (f Fields) Lookup(name string) (value string, ok bool) {
	for rest := f.packed; rest != ""; {
		var at int
		at, rest = number(rest)
		value, rest = f.value(rest)
		if f.shared[at] == name {
			return value, true
		}
	}
	return "", false
}

// value reads a value.
func (f Fields) value(s string) (value, rest string) {
	how, s := number(s)
	if how&1 == 1 {
		return f.shared[how>>1], s
	}
	return s[:how>>1], s[how>>1:]
}

// All gives the attributes in the order of the server.
func (f Fields) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		rest := f.packed
		for rest != "" {
			var name int
			var value string
			name, rest = number(rest)
			value, rest = f.value(rest)
			if !yield(f.shared[name], value) {
				return
			}
		}
	}
}

// Map is a copy of the attributes.
func (f Fields) Map() map[string]string { return maps.Collect(f.All()) }

// number reads a varint.
func number(s string) (n int, rest string) {
	if s != "" && s[0] < 0x80 {
		return int(s[0]), s[1:]
	}
	shift := 0
	for i := range len(s) {
		n |= int(s[i]&0x7f) << shift
		if s[i] < 0x80 {
			return n, s[i+1:]
		}
		shift += 7
	}
	return n, ""
}

// FieldPacker makes the Fields of the options of one list. The zero value is
// ready.
type FieldPacker struct {
	shared []string
	places map[string]int // in shared
	row    []packedField
	buf    []byte
}

type packedField struct {
	name  int
	value []byte
}

// Limits of what options may share, so that a list without anything in common
// costs little.
const (
	mostShared    = 4096
	longestShared = 64
)

// Add adds an attribute to the present option; of a name given twice the last
// value counts. value must stay as it is until Fields.
func (p *FieldPacker) Add(name, value []byte) {
	at, ok := p.places[string(name)]
	if !ok {
		at = p.share(string(name))
	}
	for i := range p.row {
		if p.row[i].name == at {
			p.row[i].value = value
			return
		}
	}
	p.row = append(p.row, packedField{at, value})
}

func (p *FieldPacker) share(s string) int {
	if p.places == nil {
		p.places = map[string]int{}
	}
	p.shared = append(p.shared, s)
	p.places[s] = len(p.shared) - 1
	return len(p.shared) - 1
}

// Fields packs what was added, and begins the next option.
func (p *FieldPacker) Fields() Fields {
	p.buf = p.buf[:0]
	for _, f := range p.row {
		p.buf = binary.AppendUvarint(p.buf, uint64(f.name))
		at, ok := p.places[string(f.value)]
		if !ok && len(p.shared) < mostShared && len(f.value) <= longestShared {
			at, ok = p.share(string(f.value)), true
		}
		if ok {
			p.buf = binary.AppendUvarint(p.buf, uint64(at)<<1|1)
			continue
		}
		p.buf = binary.AppendUvarint(p.buf, uint64(len(f.value))<<1)
		p.buf = append(p.buf, f.value...)
	}
	p.row = p.row[:0]
	return Fields{shared: p.shared[:len(p.shared):len(p.shared)], packed: string(p.buf)}
}
