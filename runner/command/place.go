package command

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cytorun/cytorun/client/descriptor"
)

// word is one word of the command line, cut into text and keys.
type word struct {
	text   string
	pieces []piece // nil: the word is plain text
	whole  bool    // the word is exactly one key
}

// piece is plain text, or the argument that replaces a key.
type piece struct {
	text string
	arg  int // -1 for text
}

// place finds the keys in the command line. Exact whole words come first,
// then whole words that spell a key differently ([X], [@X], @X, X), then keys
// inside words, the longest first.
func place(commandLine string, args []argument) []word {
	p := placer{line: commandLine, args: args, exact: make(map[string]int)}
	for i := len(args) - 1; i >= 0; i-- { // of equal keys the first one counts
		p.exact[args[i].key] = i
	}
	p.split()
	for _, find := range []func(string) (int, bool){p.exactWord, p.looseWord} {
		for i, w := range p.words {
			if w.pieces == nil {
				if arg, ok := find(w.text); ok {
					p.use(arg, w.text)
					p.words[i].pieces, p.words[i].whole = []piece{{arg: arg}}, true
				}
			}
		}
	}
	p.insideWords()
	p.dropCommas()
	return p.words
}

type placer struct {
	line  string
	args  []argument
	exact map[string]int
	words []word
}

// split cuts the line at spaces, trims commas around keys, and takes
// "[A],[B]" apart where a flag could not be put inside the word.
func (p *placer) split() {
	for _, text := range strings.Fields(p.line) {
		trimmed := strings.Trim(text, ",")
		if _, ok := p.exact[trimmed]; ok {
			text = trimmed
		} else if p.isListOfKeys(trimmed) {
			for part := range strings.SplitSeq(trimmed, ",") {
				if part != "" {
					p.words = append(p.words, word{text: part})
				}
			}
			continue
		} else if name := strings.Trim(trimmed, "[]@"); trimmed != text && name != "" && p.isLooseKey(trimmed) {
			text = trimmed
		}
		p.words = append(p.words, word{text: text})
	}
}

func (p *placer) isLooseKey(text string) bool {
	_, ok := p.looseWord(text)
	return ok
}

func (p *placer) isListOfKeys(text string) bool {
	if !strings.Contains(text, ",") {
		return false
	}
	flagged := false
	for part := range strings.SplitSeq(text, ",") {
		arg, ok := p.exact[part]
		if part != "" && !ok {
			return false
		}
		flagged = flagged || ok && len(p.args[arg].flag) > 0
	}
	return flagged
}

func (p *placer) use(arg int, spelling string) {
	a := &p.args[arg]
	a.placed = true
	if spelling != a.key {
		a.loose = spelling
	}
}

func (p *placer) exactWord(text string) (int, bool) {
	arg, ok := p.exact[text]
	return arg, ok
}

// looseWord matches a word that spells the key of a still unplaced argument
// differently. A bare word may be meant literally, so it counts only where
// the key itself is nowhere in the line; in brackets or after @ case does not
// matter.
func (p *placer) looseWord(text string) (int, bool) {
	name := descriptor.KeyName(text)
	if name == "" {
		return 0, false
	}
	bare := name == text
	for i, a := range p.args {
		want := descriptor.KeyName(a.key)
		switch {
		case a.placed:
		case bare && want == name && !strings.Contains(p.line, a.key):
			return i, true
		case !bare && strings.EqualFold(want, name):
			return i, true
		}
	}
	return 0, false
}

// insideWords cuts the remaining words at the keys they contain.
func (p *placer) insideWords() {
	type spelling struct {
		key string
		arg int
	}
	var keys []spelling
	for i, a := range p.args {
		if p.exact[a.key] != i {
			continue
		}
		keys = append(keys, spelling{a.key, i})
		if name := descriptor.KeyName(a.key); !a.placed && name != "" {
			for _, key := range []string{"[" + name + "]", "[@" + name + "]", "@" + name} {
				if _, taken := p.exact[key]; !taken {
					keys = append(keys, spelling{key, i})
				}
			}
		}
	}
	slices.SortStableFunc(keys, func(a, b spelling) int { return cmp.Compare(len(b.key), len(a.key)) })
	for i := range p.words {
		w := &p.words[i]
		if w.pieces != nil {
			continue
		}
		pieces := []piece{{w.text, -1}}
		for _, k := range keys {
			if strings.Contains(w.text, k.key) {
				pieces = cut(pieces, k.key, k.arg)
			}
		}
		if len(pieces) > 1 || pieces[0].arg >= 0 {
			w.pieces = pieces
			for _, piece := range pieces {
				if piece.arg >= 0 {
					p.use(piece.arg, p.args[piece.arg].key)
				}
			}
		}
	}
}

// cut replaces key in the text pieces by arg, unless the key is only part of
// a longer name (SVM in SVM_C).
func cut(pieces []piece, key string, arg int) []piece {
	var out []piece
	for _, piece := range pieces {
		if piece.arg >= 0 {
			out = append(out, piece)
			continue
		}
		rest, from := piece.text, 0
		for {
			i := strings.Index(rest[from:], key)
			if i < 0 {
				break
			}
			start, end := from+i, from+i+len(key)
			if joined(rest[:start], key) || joined(key, rest[end:]) {
				_, size := utf8.DecodeRuneInString(rest[start:])
				from = start + size
				continue
			}
			if start > 0 {
				out = append(out, textPiece(rest[:start]))
			}
			out = append(out, argPiece(arg))
			rest, from = rest[end:], 0
		}
		if rest != "" {
			out = append(out, textPiece(rest))
		}
	}
	return out
}

func textPiece(text string) piece { return piece{text: text, arg: -1} }
func argPiece(arg int) piece      { return piece{arg: arg} }

// joined reports whether the end of a and the start of b would be one name.
func joined(a, b string) bool {
	last, _ := utf8.DecodeLastRuneInString(a)
	first, _ := utf8.DecodeRuneInString(b)
	return a != "" && b != "" && isNameRune(last) && isNameRune(first)
}

func isNameRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// dropCommas removes words of nothing but commas beside a key.
func (p *placer) dropCommas() {
	isKey := func(i int) bool { return i >= 0 && i < len(p.words) && p.words[i].whole }
	var kept []word
	for i, w := range p.words {
		if strings.Trim(w.text, ",") != "" || !isKey(i-1) && !isKey(i+1) {
			kept = append(kept, w)
		}
	}
	p.words = kept
}
