package descriptor

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// lint looks for what is well formed and still wrong. objects belong to
// d.Parameters one by one.
func (r *reader) lint(top object, d *Descriptor, objects []object) {
	keys := make(map[string]string)
	names := make(map[string]bool)
	command := newCommandWords(d.CommandLine)
	for i, p := range d.Parameters {
		o := objects[i]
		if strings.TrimSpace(p.Name) == "" {
			r.warn(o.at("name"), "input %s has no name; its id is shown", quote(p.ID))
		}
		names[KeyName(p.ValueKey)] = true
		other, taken := keys[p.ValueKey]
		switch spelled := command.find(p.ValueKey); {
		case p.ServerParameter || d.CommandLine == "", p.ExactInput() == "exact_token" && command.find(p.ValueKey) == absent:
			// A token reaches the program through its environment.
		case taken:
			r.warn(o.at("value-key"), "input %s never reaches the program: %s already belongs to %s", quote(p.ID), quote(p.ValueKey), quote(other))
		case spelled == absent:
			r.warn(o.at("value-key"), "input %s never reaches the program: %s is not in the command-line", quote(p.ID), quote(p.ValueKey))
		case spelled == differently:
			r.warn(o.at("value-key"), "the command-line spells %s differently; a Cytomine server would not find it", quote(p.ValueKey))
		}
		if keys[p.ValueKey] == "" {
			keys[p.ValueKey] = p.ID
		}
		r.lintServer(o, p)
		r.lintLimits(o, p)
		if (p.Type == Domain || p.Type == ListDomain) && p.URI == "" {
			r.warn(o.at("uri"), "input %s has no uri to choose from; its ids have to be typed", quote(p.ID))
		}
	}
	for _, word := range strings.Fields(d.CommandLine) {
		word = strings.Trim(word, ",")
		if looksLikeKey().MatchString(word) && !names[KeyName(word)] {
			r.warn(top.at("command-line"), "%s in the command-line belongs to no input", quote(word))
		}
	}
}

// looksLikeKey matches words that can only be meant as keys.
var looksLikeKey = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\[@?\w+\]|@\w+|[A-Z][A-Z0-9]*(_[A-Z0-9]+)+)$`)
})

// commandWords is a command line prepared for looking up many keys.
type commandWords struct {
	line  string
	whole map[string]bool // its words
	loose map[string]bool // the names of its words, [X] and @X in lower case too
	parts map[string]bool // the identifiers inside its words
}

func newCommandWords(line string) commandWords {
	c := commandWords{line, make(map[string]bool), make(map[string]bool), make(map[string]bool)}
	for word := range strings.FieldsSeq(line) {
		word = strings.Trim(word, ",")
		name := KeyName(word)
		c.whole[word], c.loose[name] = true, true
		if name != word {
			c.loose["@"+strings.ToLower(name)] = true
		}
	}
	for part := range strings.FieldsFuncSeq(line, func(r rune) bool { return !isWordRune(r) }) {
		c.parts[part] = true
	}
	return c
}

// spelling says how a command line holds a key.
type spelling int

const (
	absent spelling = iota
	exactly
	differently // [X] for X, @X for [X] and the like
)

func (c commandWords) find(key string) spelling {
	name := KeyName(key)
	plain := strings.IndexFunc(name, func(r rune) bool { return !isWordRune(r) }) < 0
	switch {
	case c.whole[key], (c.parts[name] || !plain) && strings.Contains(c.line, key):
		return exactly
	case c.loose[name], c.loose["@"+strings.ToLower(name)]:
		return differently
	case c.parts[name] && (strings.Contains(c.line, "["+name+"]") || strings.Contains(c.line, "@"+name)):
		return differently
	}
	return absent
}

func isWordRune(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

func (r *reader) lintServer(o object, p Parameter) {
	switch {
	case p.SetByServer && !p.IsServerInput() && strings.HasPrefix(normalName(p.ID), "EXACT"):
		// Said by lintExact.
	case p.SetByServer && !p.IsServerInput():
		r.warn(o.at("set-by-server"), "no server sets input %s; it is an ordinary parameter", quote(p.ID))
	case !p.SetByServer && p.IsServerInput():
		r.warn(o.at("id"), "input %s is set by the server but not marked set-by-server", quote(p.ID))
	}
}

func (r *reader) lintLimits(o object, p Parameter) {
	if p.Minimum != nil && p.Maximum != nil {
		low, high := Parameter{Type: p.Type, Minimum: p.Minimum}, Value{p.Type, *p.Maximum}
		if v, err := ParseValue(p.Type, high.text); err == nil && len(low.Check(v)) > 0 {
			r.warn(o.at("minimum"), "the minimum of input %s is above its maximum", quote(p.ID))
		}
	}
	if p.Default == nil {
		return
	}
	v, err := ParseValue(p.Type, *p.Default)
	if err != nil {
		return // said where it was read
	}
	name := "default-value"
	if !o.has(name) {
		name = "default"
	}
	for _, problem := range p.Check(v) {
		r.warn(o.at(name), "the default of input %s %s", quote(p.ID), problem)
	}
}
