package picker

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/tui/widget"
)

// search finds the options of a list for a query, a slice of time after the
// other, so that no key waits longer than a frame.
type search struct {
	list  *List
	query query
	from  []int32 // where to look; nil is everywhere
	all   bool    // every option matches
	at    int     // the next one to look at

	hits  []int32 // what matches, in the order of the list
	ranks []uint8 // how well each of them does
}

// newSearch begins a search. An earlier one that is done and has found all that
// this one can find narrows it.
func newSearch(l *List, q query, earlier *search) *search {
	s := &search{list: l, query: q, all: q.empty()}
	if s.all {
		return s
	}
	if earlier != nil && earlier.list == l && !earlier.all && earlier.done() && q.within(earlier.query) {
		s.from = earlier.hits[:len(earlier.hits):len(earlier.hits)]
		if s.from == nil {
			s.from = []int32{}
		}
	}
	return s
}

func (s *search) size() int {
	if s.from != nil {
		return len(s.from)
	}
	return s.list.Len()
}

func (s *search) done() bool { return s.all || s.at >= s.size() }

// step searches until a moment, at least a little.
func (s *search) step(until time.Time) {
	for !s.done() {
		end := min(s.at+512, s.size())
		for ; s.at < end; s.at++ {
			i := int32(s.at)
			if s.from != nil {
				i = s.from[s.at]
			}
			if rank, ok := s.match(i); ok {
				s.hits = append(s.hits, i)
				s.ranks = append(s.ranks, uint8(rank))
			}
		}
		if time.Now().After(until) {
			return
		}
	}
}

// finish searches to the end.
func (s *search) finish() { s.step(time.Now().Add(time.Hour)) }

func (s *search) match(i int32) (rank int, ok bool) {
	q, key := s.query, s.list.keys[i]
	if q.glob != "" && !matchGlob(q.glob, key) || q.re != nil && !q.re.match(key) {
		return 0, false
	}
	for _, w := range q.exact {
		if !strings.Contains(key, w) {
			return 0, false
		}
	}
	for _, w := range q.words {
		r, ok := widget.Rank(key, "", w)
		if (!ok || r >= widget.RankScattered) && s.isID(i, w) {
			r, ok = widget.RankMore, true
		}
		if !ok {
			return 0, false
		}
		rank = max(rank, r)
	}
	for _, t := range q.terms {
		if !t.match(s.list.options[i]) {
			return 0, false
		}
	}
	return rank, true
}

// isID tells whether the id of an option holds digits that were typed.
func (s *search) isID(i int32, word string) bool {
	if word[0] < '0' || word[0] > '9' {
		return false
	}
	var digits [20]byte
	return bytes.Contains(strconv.AppendInt(digits[:0], int64(s.list.options[i].ID), 10), []byte(word))
}

// found are the options that match as far as was searched, best first; equals
// keep the order of the list.
func (s *search) found() []int32 {
	if !s.query.ranked() {
		return s.hits
	}
	var count [widget.Ranks + 1]int
	for _, r := range s.ranks {
		count[r+1]++
	}
	for r := range widget.Ranks {
		count[r+1] += count[r]
	}
	out := make([]int32, len(s.hits))
	for k, i := range s.hits {
		out[count[s.ranks[k]]] = i
		count[s.ranks[k]]++
	}
	return out
}
