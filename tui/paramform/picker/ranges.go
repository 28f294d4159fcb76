package picker

import "sort"

// ranges puts the pairs of a character class in order and joins those that
// overlap, as package regexp/syntax wants them.
func ranges(pairs []rune) []rune {
	type span struct{ low, high rune }
	spans := make([]span, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		spans = append(spans, span{pairs[i], pairs[i+1]})
	}
	sort.Slice(spans, func(i, j int) bool { return spans[i].low < spans[j].low })
	out := make([]rune, 0, len(pairs))
	for _, s := range spans {
		if n := len(out); n > 0 && s.low <= out[n-1]+1 {
			out[n-1] = max(out[n-1], s.high)
			continue
		}
		out = append(out, s.low, s.high)
	}
	return out
}
