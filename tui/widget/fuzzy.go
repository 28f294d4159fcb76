package widget

import (
	"slices"
	"strings"
)

// Fuzzy finds lines by words: every word of the pattern must be in the line. A
// line has a name, in which a word may also be scattered, and may have more text,
// in which it must stand as it is: a few letters are scattered over any long
// text. Better hits come first: at the start of the name, at the start of a
// word, inside one, in the text, scattered; equals keep their order. It is made
// for 100,000 lines at each key: a pattern that only grew looks at what the
// shorter one had found.
type Fuzzy struct {
	// Whole finds words only as they are, never scattered: for lists that keep
	// their own order, where a poor hit would stand among the good ones.
	Whole bool

	names, more []string // lower case; more is empty or as long as names
	pattern     string
	found       []int // by index, before ranking
	byRank      [Ranks][]int
}

// Ranks of a hit, the best first; scattered ones add how far apart they are.
const (
	RankStart = iota
	RankWord
	RankInside
	RankMore
	RankScattered
	Ranks = RankScattered + 8
)

// SetLines replaces what is searched; more may be nil.
func (f *Fuzzy) SetLines(names, more []string) {
	f.names, f.more = lower(names), lower(more)
	f.pattern, f.found = "", nil
}

func lower(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.ToLower(l)
	}
	return out
}

// Find gives the indexes of the lines that match, best first; all of them for
// an empty pattern.
func (f *Fuzzy) Find(pattern string) []int {
	pattern = strings.ToLower(strings.TrimSpace(pattern))
	words := strings.Fields(pattern)
	if len(words) == 0 {
		f.pattern = ""
		all := make([]int, len(f.names))
		for i := range all {
			all[i] = i
		}
		return all
	}
	candidates, narrowed := f.found, f.narrows(pattern, words)
	n := len(f.names)
	if narrowed {
		n = len(candidates)
	}
	// Their memory is used again: at each key it would be the most of the work. A
	// narrowed list is written behind where it is read.
	found := f.found[:0]
	for r := range f.byRank {
		f.byRank[r] = f.byRank[r][:0]
	}
	for k := range n {
		i := k
		if narrowed {
			i = candidates[k]
		}
		if r, ok := f.rank(i, words); ok {
			found = append(found, i)
			f.byRank[r] = append(f.byRank[r], i)
		}
	}
	f.pattern, f.found = pattern, found
	return slices.Concat(f.byRank[:]...)
}

// narrows tells whether the lines of a pattern are all among those of the one
// before: it only grew, and no word became long enough to be found scattered,
// which finds lines that the shorter word did not.
func (f *Fuzzy) narrows(pattern string, words []string) bool {
	if f.pattern == "" || !strings.HasPrefix(pattern, f.pattern) {
		return false
	}
	before := strings.Fields(f.pattern)
	last := len(before) - 1 // the others are as they were
	return f.Whole || len(before[last]) >= fewest || len(words[last]) < fewest
}

// rank is the worst rank of the words in a line.
func (f *Fuzzy) rank(i int, words []string) (int, bool) {
	worst := 0
	for _, w := range words {
		r, ok := rankWordIn(f.names[i], w)
		if !ok && len(f.more) > 0 && strings.Contains(f.more[i], w) {
			r, ok = RankMore, true
		}
		if !ok && !f.Whole {
			r, ok = scattered(f.names[i], w)
		}
		if !ok {
			return 0, false
		}
		worst = max(worst, r)
	}
	return worst, true
}

// Rank is how well a line answers to one word; all are in lower case.
func Rank(name, more, word string) (rank int, ok bool) {
	if r, ok := rankWordIn(name, word); ok {
		return r, true
	}
	if strings.Contains(more, word) {
		return RankMore, true
	}
	return scattered(name, word)
}

// rankWordIn is the rank of a word that stands in the line as it is.
func rankWordIn(line, word string) (int, bool) {
	best, from := -1, 0
	for {
		at := strings.Index(line[from:], word)
		if at < 0 {
			break
		}
		at += from
		switch {
		case at == 0:
			return RankStart, true
		case !wordByte(line[at-1]):
			return RankWord, true
		}
		best, from = RankInside, at+1
	}
	return best, best >= 0
}

// fewest is how long a word has to be to be looked for scattered: shorter ones
// would match nearly everything.
const fewest = 3

// scattered looks for the bytes of word in their order.
func scattered(line, word string) (int, bool) {
	if len(word) < fewest {
		return 0, false
	}
	first, at := -1, 0
	for k := range len(word) {
		n := strings.IndexByte(line[at:], word[k])
		if n < 0 {
			return 0, false
		}
		at += n
		if first < 0 {
			first = at
		}
		at++
	}
	spread := (at - first - len(word)) / 4
	return min(RankScattered+spread, Ranks-1), true
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80
}
