package logfile

import "sync"

// signs are the words of which a line holds at least one if it may be an
// error. They are found in one pass over the log; classify decides.
var signs = []string{
	"Error", "ERROR", "error:", "xception", "Traceback", "FATAL", "Fatal", "fatal", "panic:", "Killed", "killed", "Segmentation", "Aborted",
	"CRITICAL", "oom-kill", "oom_kill", "out of memory", "OOM when", "not found", "Permission denied", "No such file", "No space left",
	"quota exceeded", "TIME LIMIT", "Illegal instruction", "terminate called", "core dumped", "CUBLAS_", "CUDNN_", "CANCELLED",
}

// matcher finds many words in one pass (Wu and Manber, 1994): a window as long
// as the shortest word slides over the text, and its last two bytes say how far
// it may go.
type matcher struct {
	window int
	shift  [1 << 16]uint8
	words  map[uint16][]string // by the last two bytes of their window
}

func newMatcher(words []string) *matcher {
	m := &matcher{window: len(words[0]), words: map[uint16][]string{}}
	for _, w := range words {
		m.window = min(m.window, len(w))
	}
	for i := range m.shift {
		m.shift[i] = uint8(m.window - 1)
	}
	for _, w := range words {
		for i := 1; i < m.window; i++ {
			k := pair(w[i-1], w[i])
			m.shift[k] = min(m.shift[k], uint8(m.window-1-i))
		}
		k := pair(w[m.window-2], w[m.window-1])
		m.words[k] = append(m.words[k], w)
	}
	return m
}

func pair(a, b byte) uint16 { return uint16(a)<<8 | uint16(b) }

// next is where in data, from i on, the next word starts, or -1.
func (m *matcher) next(data []byte, i int) int {
	for i += m.window - 1; i < len(data); {
		k := pair(data[i-1], data[i])
		if s := m.shift[k]; s > 0 {
			i += int(s)
			continue
		}
		start := i - m.window + 1
		for _, w := range m.words[k] {
			if len(data)-start >= len(w) && string(data[start:start+len(w)]) == w {
				return start
			}
		}
		i++
	}
	return -1
}

// errorSigns is made at its first use, which most starts never see; it holds
// 64 KB.
var errorSigns = sync.OnceValue(func() *matcher { return newMatcher(signs) })
