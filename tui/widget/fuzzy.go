package widget

import (
	"slices"
	"strings"
)

// Fuzzy finds lines by words: every word of the pattern must be in the line,
// as it is or with other characters in between. Better hits come first: at the
// start of the line, at the start of a word, inside a word, scattered; equals
// keep their order. It is made for 100,000 lines at each key: a pattern that
// only grew looks at what the shorter one had found.
type Fuzzy struct {
	lines   []string // lower case
	pattern string
	found   []int // by index, before ranking
}

// ranks of a hit; scattered ones add how far apart they are.
const (
	rankStart = iota
	rankWord
	rankInside
	rankScattered
	ranks = rankScattered + 8
)

// SetLines replaces what is searched.
func (f *Fuzzy) SetLines(lines []string) {
	f.lines = make([]string, len(lines))
	for i, l := range lines {
		f.lines[i] = strings.ToLower(l)
	}
	f.pattern, f.found = "", nil
}

// Find gives the indexes of the lines that match, best first; all of them for
// an empty pattern.
func (f *Fuzzy) Find(pattern string) []int {
	pattern = strings.ToLower(strings.TrimSpace(pattern))
	words := strings.Fields(pattern)
	if len(words) == 0 {
		f.pattern, f.found = "", nil
		all := make([]int, len(f.lines))
		for i := range all {
			all[i] = i
		}
		return all
	}
	candidates := f.found
	if f.pattern == "" || !strings.HasPrefix(pattern, f.pattern) {
		candidates = nil
	}
	narrowed := candidates != nil
	n := len(f.lines)
	if narrowed {
		n = len(candidates)
	}
	found := make([]int, 0, n)
	var byRank [ranks][]int
	for k := range n {
		i := k
		if narrowed {
			i = candidates[k]
		}
		if r, ok := rank(f.lines[i], words); ok {
			found = append(found, i)
			byRank[r] = append(byRank[r], i)
		}
	}
	f.pattern, f.found = pattern, found
	return slices.Concat(byRank[:]...)
}

// rank is the worst rank of the words in the line.
func rank(line string, words []string) (int, bool) {
	worst := 0
	for _, w := range words {
		r, ok := rankWordIn(line, w)
		if !ok {
			return 0, false
		}
		worst = max(worst, r)
	}
	return worst, true
}

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
			return rankStart, true
		case !wordByte(line[at-1]):
			return rankWord, true
		}
		best, from = rankInside, at+1
	}
	if best >= 0 {
		return best, true
	}
	return scattered(line, word)
}

// scattered looks for the bytes of word in their order. Words of one or two
// characters are not worth it: they would match nearly everything.
func scattered(line, word string) (int, bool) {
	if len(word) < 3 {
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
	return min(rankScattered+spread, ranks-1), true
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80
}
