package logfile

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"github.com/cytorun/cytorun/internal/text"
)

// Meter reads progress out of what a program prints: bars as tqdm, Keras and
// many others draw them ("45%|####  | 45/100"), "Epoch 3/10", "step 12 of 100",
// "progress: 45 %". A bar inside an epoch counts for its part of that epoch.
// Downloads are not the program's own progress and do not count.
//
// Write takes the output in pieces of any size and never fails; the methods may
// be called from several goroutines.
type Meter struct {
	mu    sync.Mutex
	line  []byte
	skip  bool // the line is too long to be read
	have  bool
	value float64 // 0..1 of the present bar
	// epoch and epochs say which round of how many the bar is for.
	epoch, epochs int
	inner         bool // a bar was seen since the epoch was
}

// maxProgressLine is the longest line that is looked at.
const maxProgressLine = 2048

// Write reads more output.
func (m *Meter) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for rest := p; len(rest) > 0; {
		i := bytes.IndexAny(rest, "\r\n")
		part := rest
		if i >= 0 {
			part = rest[:i]
		}
		if len(m.line)+len(part) > maxProgressLine {
			m.skip = true
			m.line = m.line[:0]
		}
		if !m.skip {
			m.line = append(m.line, part...)
		}
		if i < 0 {
			break
		}
		if !m.skip {
			m.read(m.line)
		}
		m.line, m.skip = m.line[:0], false
		rest = rest[i+1:]
	}
	return len(p), nil
}

// Skipped tells that output was left out before the next Write, so that the
// line before it is not whole.
func (m *Meter) Skipped() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.line, m.skip = m.line[:0], true
}

// Progress is how far the program is, 0 to 100; ok is false while it has not
// said anything of that. It may go down when the program starts over.
func (m *Meter) Progress() (percent int, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.skip && len(m.line) > 0 {
		// A bar often waits for its next state without ending its line.
		m.read(m.line)
	}
	if !m.have {
		return 0, false
	}
	v := m.value
	if m.epochs > 0 {
		v = float64(m.epoch-1) / float64(m.epochs)
		if m.inner {
			v += m.value / float64(m.epochs)
		}
	}
	return int(max(0, min(v, 1))*100 + 1e-9), true
}

// read looks at one line or one state of a bar.
func (m *Meter) read(line []byte) {
	if !bytes.ContainsAny(line, "%/") && !bytes.Contains(line, []byte(" of ")) {
		return
	}
	s := strings.TrimSpace(text.Strip(string(line)))
	low := strings.ToLower(s)
	if isTransfer(low) {
		return
	}
	for _, word := range []string{"epoch", "round", "fold"} {
		if i := strings.Index(low, word); i >= 0 && i < 40 {
			if k, n, ok := fraction(low[i+len(word):]); ok && n > 1 && k > 0 {
				if k != m.epoch || n != m.epochs {
					m.inner, m.value = false, 0
				}
				m.epoch, m.epochs, m.have = k, n, true
				// "Epoch 3/10: 45%|###" is both.
				if p, ok := percentage(low); ok {
					m.value, m.inner = p, true
				}
				return
			}
		}
	}
	if p, ok := percentage(low); ok {
		m.value, m.inner, m.have = p, true, true
		return
	}
	for _, word := range []string{"step", "batch", "iter", "image", "tile", "slide", "progress", "processing", "processed", "[", ""} {
		i := strings.Index(low, word)
		if i < 0 || i > 60 {
			continue
		}
		k, n, ok := fraction(low[i+len(word):])
		if !ok || n < 1 {
			continue
		}
		// Without a word only what draws a bar is meant: "45/100 [====>...]".
		if word == "" && !strings.Contains(low, "[=") && !strings.Contains(low, "━") && !strings.Contains(low, "[>") {
			continue
		}
		m.value, m.inner, m.have = float64(k)/float64(n), true, true
		return
	}
}

// isTransfer tells the bar of a download, which counts bytes.
func isTransfer(low string) bool {
	for _, w := range []string{"b/s", "download", "upload", "extracting"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// percentage finds "45%" or "45.5 %" where it stands for progress: at the start
// of a bar, after a word for progress, or alone on its line.
func percentage(low string) (float64, bool) {
	i := strings.IndexByte(low, '%')
	if i <= 0 {
		return 0, false
	}
	head := strings.TrimRight(low[:i], " ")
	j := len(head)
	for j > 0 && (head[j-1] >= '0' && head[j-1] <= '9' || head[j-1] == '.') {
		j--
	}
	v, err := strconv.ParseFloat(head[j:], 64)
	if err != nil || v < 0 || v > 100 {
		return 0, false
	}
	before, after := strings.TrimSpace(head[:j]), strings.TrimLeft(low[i+1:], " ")
	bar := strings.HasPrefix(after, "|") || strings.HasPrefix(after, "[") || strings.HasPrefix(after, "━") || strings.HasSuffix(before, "]") || strings.HasSuffix(before, "|") || strings.HasSuffix(before, "━")
	word := strings.Contains(before, "progress") || strings.HasPrefix(after, "done") || strings.HasPrefix(after, "complete")
	alone := before == "" && (after == "" || after == ")")
	if !bar && !word && !alone {
		return 0, false
	}
	return v / 100, true
}

// fraction reads "3/10", "3 of 10" or "[3/10]" at the start of s, after
// punctuation.
func fraction(s string) (k, n int, ok bool) {
	s = strings.TrimLeft(s, "s :#[(=")
	a, rest := digits(s)
	if a == "" {
		return 0, 0, false
	}
	rest = strings.TrimLeft(rest, " ")
	if r, found := strings.CutPrefix(rest, "/"); found {
		rest = r
	} else if r, found := strings.CutPrefix(rest, "of "); found {
		rest = r
	} else {
		return 0, 0, false
	}
	b, rest := digits(strings.TrimLeft(rest, " "))
	if b == "" || strings.HasPrefix(rest, "/") { // a date
		return 0, 0, false
	}
	k, err1 := strconv.Atoi(a)
	n, err2 := strconv.Atoi(b)
	return k, n, err1 == nil && err2 == nil && k >= 0 && n > 0 && k <= n
}

func digits(s string) (d, rest string) {
	i := 0
	for i < len(s) && i < 9 && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}
