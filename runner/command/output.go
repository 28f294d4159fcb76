package command

import (
	"slices"
	"strings"
)

// output collects the words for the program.
type output struct {
	argv    []string
	secret  []bool
	literal []bool // the word stands in the command line as it is
}

func (o *output) add(text string, secret, literal bool) {
	o.argv = append(o.argv, text)
	o.secret = append(o.secret, secret)
	o.literal = append(o.literal, literal)
}

func (o *output) word(w word, args []argument) {
	switch {
	case w.pieces == nil:
		o.add(w.text, false, true)
	case w.whole:
		o.key(args[w.pieces[0].arg])
	default:
		o.mixed(w, args)
	}
}

// key writes flag and value, or takes back the flag of a missing value.
func (o *output) key(a argument) {
	secret := a.param.IsSecret()
	switch n := len(a.flag); {
	case a.value == "":
		o.takeBack(a)
	case n == 0, o.endsWith(a.flag):
		o.add(a.value, secret, false)
	case strings.HasSuffix(a.flag[n-1], "="):
		// "--opt=" and a value in two words would be an empty option.
		for _, f := range a.flag[:n-1] {
			o.add(f, false, false)
		}
		o.add(a.flag[n-1]+a.value, secret, false)
	default:
		for _, f := range a.flag {
			o.add(f, false, false)
		}
		o.add(a.value, secret, false)
	}
}

// mixed writes a word in which keys are surrounded by text. Without any value
// an option like --opt=[X] disappears; other text stays.
func (o *output) mixed(w word, args []argument) {
	var b strings.Builder
	sent, secret := false, false
	for _, piece := range w.pieces {
		if piece.arg < 0 {
			b.WriteString(piece.text)
			continue
		}
		a := args[piece.arg]
		b.WriteString(a.value)
		sent = sent || a.value != ""
		secret = secret || a.value != "" && a.param.IsSecret()
	}
	text := b.String()
	if !sent && (strings.HasSuffix(text, "=") || strings.IndexFunc(text, isNameRune) < 0) {
		for _, piece := range w.pieces {
			if piece.arg >= 0 {
				o.takeBack(args[piece.arg])
			}
		}
		return
	}
	o.add(text, secret, false)
}

// endsWith reports whether the last words are flag, spelled out in the
// command line itself.
func (o *output) endsWith(flag []string) bool {
	at := len(o.argv) - len(flag)
	return at >= 0 && len(flag) > 0 && slices.Equal(o.argv[at:], flag) && !slices.Contains(o.literal[at:], false)
}

// takeBack removes the option that the command line spells out before the key
// of an argument without a value: its flag, or --name where it has no flag.
func (o *output) takeBack(a argument) {
	flag := a.flag
	if n := len(o.argv); len(flag) == 0 && n > 0 && strings.HasPrefix(o.argv[n-1], "-") && optionName(o.argv[n-1]) == optionName(a.param.ID) {
		flag = o.argv[n-1:]
	}
	if o.endsWith(flag) {
		at := len(o.argv) - len(flag)
		o.argv, o.secret, o.literal = o.argv[:at], o.secret[:at], o.literal[:at]
	}
}

// optionName makes --max-pixels and max_pixels the same.
func optionName(s string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimLeft(s, "-"), "-", "_"))
}
