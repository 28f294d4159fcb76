package logfile

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytorun/cytorun/internal/text"
)

// blocks makes blocks small, so that a small log has many borders.
func blocks(t testing.TB, n int64) {
	old := block
	block = n
	t.Cleanup(func() { block = old })
}

func write(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "output.log")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, path string) *Log {
	t.Helper()
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// indexed waits for the index.
func indexed(t testing.TB, l *Log) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		_, counted := l.Count()
		_, _, looked := l.Errors()
		if counted && looked {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the index does not end")
		}
		time.Sleep(time.Millisecond)
	}
}

// model is where the lines of a log are, by the words of the rule in doc.go.
func model(data []byte) (lines [][2]int64) {
	start := int64(0)
	size := int64(len(data))
	for i := int64(0); i < size; i++ {
		end := i + 1
		border := end%block == 0 && end < size && bytes.IndexByte(data[end-block:end], '\n') < 0
		if data[i] == '\n' || border || end == size {
			lines = append(lines, [2]int64{start, end})
			start = end
		}
	}
	return lines
}

// check compares everything that can be asked of a log with the model.
func check(t *testing.T, data []byte) {
	t.Helper()
	want := model(data)
	l := open(t, write(t, data))
	size := int64(len(data))
	ctx := t.Context()

	var got [][2]int64
	in := linesFrom(bytes.NewReader(data), 0, size)
	for {
		s, ok := in.next()
		if !ok {
			break
		}
		if !bytes.Equal(s.data, data[s.off:s.end()]) {
			t.Fatalf("line at %d is %q", s.off, s.data)
		}
		got = append(got, [2]int64{s.off, s.end()})
	}
	if !slices.Equal(got, want) {
		t.Fatalf("lines of %q are %v, want %v", data, got, want)
	}
	for _, w := range want {
		for off := w[0]; off < w[1]; off++ {
			if s := l.Start(off); s != w[0] {
				t.Fatalf("line of byte %d of %q starts at %d, want %d", off, data, s, w[0])
			}
		}
	}

	indexed(t, l)
	if n, _ := l.Count(); n != int64(len(want)) {
		t.Fatalf("%q has %d lines, want %d", data, n, len(want))
	}
	for i, w := range want {
		if n, ok := l.Number(w[0]); !ok || n != int64(i+1) {
			t.Fatalf("line at %d of %q has number %d, %v, want %d", w[0], data, n, ok, i+1)
		}
		if off, ok := l.Offset(int64(i + 1)); !ok || off != w[0] {
			t.Fatalf("line %d of %q starts at %d, %v, want %d", i+1, data, off, ok, w[0])
		}
	}
	if _, ok := l.Offset(int64(len(want) + 1)); ok && len(want) > 0 {
		t.Fatalf("%q has a line after the last", data)
	}

	for _, v := range []View{{}, {Expand: true}} {
		all, err := l.Lines(ctx, 0, 1<<20, v)
		if err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		for i, x := range all {
			if x.Offset != at || x.End <= at || len(x.Rows) == 0 || x.States < 1 {
				t.Fatalf("line %d of %q is %+v, want it at %d", i, data, x, at)
			}
			at = x.End
		}
		if at != size {
			t.Fatalf("lines of %q end at %d of %d", data, at, size)
		}
		for i := range all {
			few, err := l.Lines(ctx, all[i].Offset, 2, v)
			if err != nil || !equalLines(few, all[i:min(i+2, len(all))]) {
				t.Fatalf("%+v: from %d of %q on: %+v, %v", v, all[i].Offset, data, few, err)
			}
		}
		for i := range len(all) + 1 {
			to := size
			if i < len(all) {
				to = all[i].Offset
			}
			few, err := l.Before(ctx, to, 3, v)
			if err != nil || !equalLines(few, all[max(i-3, 0):i]) {
				t.Fatalf("%+v: before %d of %q: %+v, want %+v, %v", v, to, data, few, all[max(i-3, 0):i], err)
			}
		}
	}
}

func equalLines(a, b []Line) bool {
	return slices.EqualFunc(a, b, func(x, y Line) bool { return x.Offset == y.Offset && x.End == y.End && slices.Equal(x.Rows, y.Rows) })
}

// checkSearch compares searching and filtering with looking at each line.
func checkSearch(t *testing.T, data []byte, needle string, regex, fold bool) {
	t.Helper()
	var p *Pattern
	var err error
	if regex {
		p, err = Regexp(needle, fold)
	} else {
		p, err = Literal(needle, fold)
	}
	if err != nil {
		return
	}
	lines := model(data)
	if len(lines) > 60 {
		lines = lines[:0] // too much for comparing everything with everything
	}
	l := open(t, write(t, data))
	ctx := t.Context()
	var match []bool
	for _, w := range lines {
		match = append(match, matches(dropEscapes(bytes.Clone(data[w[0]:w[1]])), needle, regex, fold))
	}
	for i := range lines {
		next := slices.Index(match[i:], true)
		off, ok, err := l.Search(ctx, p, lines[i][0], false, nil)
		if err != nil || ok != (next >= 0) || ok && off != lines[i+next][0] {
			t.Fatalf("search for %q from %d of %q: %d, %v, %v, want line %d of %v", needle, lines[i][0], data, off, ok, err, i+next, lines)
		}
		prev := -1
		for j := range i {
			if match[j] {
				prev = j
			}
		}
		off, ok, err = l.Search(ctx, p, lines[i][0], true, nil)
		if err != nil || ok != (prev >= 0) || ok && off != lines[prev][0] {
			t.Fatalf("search for %q back from %d of %q: %d, %v, %v, want line %d", needle, lines[i][0], data, off, ok, err, prev)
		}
	}
	for _, c := range []int{0, 1, 2} {
		v := View{Filter: p, Context: c}
		var want []int64
		for i := range lines {
			if slices.Contains(match[max(i-c, 0):min(i+c+1, len(match))], true) {
				want = append(want, lines[i][0])
			}
		}
		all, err := l.Lines(ctx, 0, 1<<20, v)
		if err != nil || len(lines) > 0 && !slices.Equal(offsets(all), want) {
			t.Fatalf("%q filtered by %q with %d around: %v, want %v, %v", data, needle, c, offsets(all), want, err)
		}
		for i := range all {
			few, err := l.Lines(ctx, all[i].Offset, 2, v)
			if err != nil || !slices.Equal(offsets(few), offsets(all[i:min(i+2, len(all))])) {
				t.Fatalf("%q filtered by %q with %d around from %d: %v of %v, %v", data, needle, c, all[i].Offset, offsets(few), offsets(all), err)
			}
			few, err = l.Before(ctx, all[i].Offset, 2, v)
			if err != nil || !slices.Equal(offsets(few), offsets(all[max(i-2, 0):i])) {
				t.Fatalf("%q filtered by %q with %d around before %d: %v of %v, %v", data, needle, c, all[i].Offset, offsets(few), offsets(all), err)
			}
		}
	}
}

// matches is a plain way to say whether a line matches.
func matches(line []byte, needle string, regex, fold bool) bool {
	line = bytes.TrimSuffix(line, []byte{'\n'})
	if !regex {
		if fold {
			return regexp.MustCompile("(?i)" + regexp.QuoteMeta(needle)).Match(line)
		}
		return bytes.Contains(line, []byte(needle))
	}
	if fold {
		needle = "(?i)" + needle
	}
	re := regexp.MustCompile(needle)
	states := bytes.Split(line, []byte{'\r'})
	for i, s := range states {
		if i > 0 && i == len(states)-1 && len(s) == 0 {
			break
		}
		if re.Match(s) {
			return true
		}
	}
	return false
}

func offsets(lines []Line) (out []int64) {
	for _, l := range lines {
		out = append(out, l.Offset)
	}
	return out
}

var oddLogs = []string{
	"", "\n", "\n\n\n", "one", "one\n", "one\ntwo", strings.Repeat("x", 64), strings.Repeat("x", 65), strings.Repeat("x", 300), strings.Repeat("x", 128) + "\n",
	strings.Repeat("\r", 200), strings.Repeat("\x1b[31m", 40), strings.Repeat("\x00", 300), strings.Repeat("ab\n", 100), strings.Repeat("x", 63) + "\n" + strings.Repeat("y", 64) + "z\n",
	" 10%\r 20%\r 30%\nnext\n", "a\nb\n\x1b[2Ac\nd\n", "a\n\x1b[1A\x1b[1A\x1b[1Ab\n", strings.Repeat("bar1\nbar2\n\x1b[2A", 20) + "end\n", "\xff\xfe\n\xc3", "a\r\nb\r\n",
	strings.Repeat("\r outer\n\r inner\x1b[A", 9) + "\nlast\n",
}

func TestLogsOfAllShapes(t *testing.T) {
	blocks(t, 64)
	for _, s := range oddLogs {
		t.Run(fmt.Sprintf("%.20q", s), func(t *testing.T) {
			check(t, []byte(s))
			checkSearch(t, []byte(s), "x", false, false)
			checkSearch(t, []byte(s), "B.r?", true, true)
		})
	}
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "b", "\n", "\n", "\r", "\x1b[A", "\x1b[31m", "word ", "\x1b[2K", strings.Repeat("l", 70)}
	for range 300 {
		var b []byte
		for range random.IntN(60) {
			b = append(b, parts[random.IntN(len(parts))]...)
		}
		check(t, b)
		checkSearch(t, b, "wo", random.IntN(2) == 0, random.IntN(2) == 0)
		checkSearch(t, b, "", random.IntN(2) == 0, false)
		checkSearch(t, b, "^[ab]+$", true, false)
	}
}

func FuzzLog(f *testing.F) {
	for _, s := range oddLogs {
		f.Add([]byte(s), "a")
	}
	f.Fuzz(func(t *testing.T, data []byte, needle string) {
		if len(data) > 1000 || len(needle) > 20 {
			return
		}
		blocks(t, 64)
		check(t, data)
		checkSearch(t, data, needle, false, false)
		checkSearch(t, data, needle, true, true)
	})
}

func TestProgressBarsShowTheirLastState(t *testing.T) {
	for _, c := range []struct {
		name, log string
		want      [][]string // rows of each line
		states    int        // of the first line
		expanded  []string
	}{
		{"a bar", " 10%|#  |\r 20%|## |\r100%|###|\ndone\n", [][]string{{"100%|###|"}, {"done"}}, 3, []string{" 10%|#  |", " 20%|## |", "100%|###|", "done"}},
		{"a bar that waits", "start\n 10%\r 20%\r", [][]string{{"start"}, {" 20%"}}, 1, []string{"start", " 10%", " 20%"}},
		{"line breaks of Windows", "a\r\nb\r\n", [][]string{{"a"}, {"b"}}, 1, []string{"a", "b"}},
		{"an erased line", "loading...\r\x1b[Kready\n", [][]string{{"ready"}}, 1, []string{"loading...", "ready"}},
		{"two bars above each other", "\rA 0%\n\rB 0%\x1b[A\rA 50%\n\rB 90%\x1b[A\rA 100%\n\rB 100%\nend\n", [][]string{{"A 100%", "B 100%"}, {"end"}}, 5, nil},
		{"a block that is drawn again", "x\n1a\n1b\n\x1b[2A2a\n2b\n\x1b[2A3a\n3b\nend\n", [][]string{{"x"}, {"3a", "3b"}, {"end"}}, 1, nil},
		{"colours stay", "\x1b[31m10%\x1b[0m\r\x1b[32m20%\x1b[0m\n", [][]string{{"\x1b[32m20%\x1b[0m"}}, 2, nil},
		{"other sequences do not", "\x1b]0;title\x07a\x1b[2J\x1b[10;10Hb\n", [][]string{{"ab"}}, 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := open(t, write(t, []byte(c.log)))
			got, err := l.Lines(t.Context(), 0, 100, View{})
			if err != nil {
				t.Fatal(err)
			}
			var rows [][]string
			for _, x := range got {
				rows = append(rows, x.Rows)
			}
			if !slices.EqualFunc(rows, c.want, slices.Equal) {
				t.Errorf("got %q, want %q", rows, c.want)
			}
			if got[0].States != c.states {
				t.Errorf("%d states, want %d", got[0].States, c.states)
			}
			if c.expanded == nil {
				return
			}
			got, err = l.Lines(t.Context(), 0, 100, View{Expand: true})
			var flat []string
			for _, x := range got {
				flat = append(flat, x.Rows...)
			}
			if err != nil || !slices.Equal(flat, c.expanded) {
				t.Errorf("expanded: %q, want %q", flat, c.expanded)
			}
		})
	}
}

func TestLongLinesSurvive(t *testing.T) {
	long := strings.Repeat("0123456789", 100_000)
	l := open(t, write(t, []byte("before\n"+long+"\nafter\n")))
	got, err := l.Lines(t.Context(), 0, 10, View{})
	if err != nil || len(got) != 3 {
		t.Fatal(len(got), err)
	}
	if got[1].End-got[1].Offset != int64(len(long)+1) || len(got[1].Rows[0]) != maxRow || got[2].Rows[0] != "after" {
		t.Errorf("%d bytes, %d shown", got[1].End-got[1].Offset, len(got[1].Rows[0]))
	}
}

func TestFollowedLog(t *testing.T) {
	path := write(t, []byte("one\nTraceback (most recent call last):\n"))
	l := open(t, path)
	expect := func(want Change) {
		t.Helper()
		if got, err := l.Poll(); got != want || err != nil {
			t.Fatalf("change %v, %v, want %v", got, err, want)
		}
		indexed(t, l)
	}
	texts := func() string {
		t.Helper()
		all, err := l.Lines(t.Context(), 0, 1000, View{})
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, x := range all {
			s = append(s, x.Rows...)
		}
		return strings.Join(s, "|")
	}
	add := func(s string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString(s)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	expect(Same)
	add("  File \"x\"\nValue")
	expect(Grown)
	if n, _ := l.Count(); n != 4 {
		t.Errorf("%d lines", n)
	}
	add("Error: bad\nnext\n")
	expect(Grown)
	list, total, _ := l.Errors()
	if total != 1 || len(list) != 1 || list[0].Text != "ValueError: bad" {
		t.Errorf("errors %+v, %d", list, total)
	}
	if n, _ := l.Count(); n != 5 {
		t.Errorf("%d lines", n)
	}
	if err := os.WriteFile(path, []byte("anew\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(Replaced)
	if got := texts(); got != "anew" {
		t.Errorf("after truncation: %s", got)
	}
	if err := os.WriteFile(path, []byte("other\nand longer\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(Replaced)
	if err := os.WriteFile(path+".new", []byte("rotated\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	expect(Replaced)
	if got := texts(); got != "rotated" {
		t.Errorf("after rotation: %s", got)
	}
	if n, _ := l.Count(); n != 1 {
		t.Errorf("%d lines", n)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect(Deleted)
	if got := texts(); got != "rotated" {
		t.Errorf("after deletion: %s", got)
	}
}

func TestFollowCopiesUntilNobodyWrites(t *testing.T) {
	path := write(t, []byte("skipped\n"))
	l := open(t, path)
	var live atomic.Bool
	live.Store(true)
	var want bytes.Buffer
	go func() {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
		}
		defer f.Close()
		for i := range 1000 {
			s := fmt.Sprintf("line %d\n", i)
			want.WriteString(s)
			if _, err := f.WriteString(s); err != nil {
				t.Error(err)
			}
		}
		live.Store(false)
	}()
	var got bytes.Buffer
	if err := l.Follow(t.Context(), 8, &got, live.Load); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Errorf("%d bytes of %d", got.Len(), want.Len())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Follow(ctx, 0, &got, func() bool { return true }); err != context.Canceled {
		t.Error(err)
	}
}

func TestSearchStopsAndTellsProgress(t *testing.T) {
	blocks(t, 64)
	l := open(t, write(t, bytes.Repeat([]byte("nothing here\n"), 10000)))
	p, err := Literal("absent", false)
	if err != nil {
		t.Fatal(err)
	}
	var told []int64
	if _, ok, err := l.Search(t.Context(), p, 0, false, func(done, total int64) {
		told = append(told, done)
		if done > total || total != l.Size() {
			t.Errorf("%d of %d", done, total)
		}
	}); ok || err != nil {
		t.Error(ok, err)
	}
	if len(told) < 10 || !slices.IsSorted(told) || told[len(told)-1] != l.Size() {
		t.Errorf("progress %v", told)
	}
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	_, _, err = l.Search(ctx, p, l.Size(), true, func(int64, int64) { steps++; cancel() })
	if err != context.Canceled || steps != 1 {
		t.Errorf("%v after %d steps", err, steps)
	}
}

func TestPatternsThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		s     string
		regex bool
	}{{"", false}, {"", true}, {"(", true}, {"a\nb", false}} {
		var err error
		if c.regex {
			_, err = Regexp(c.s, false)
		} else {
			_, err = Literal(c.s, false)
		}
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", c.s, err)
		}
	}
}

func TestPatternsKnowWhatEachMatchHolds(t *testing.T) {
	for expr, want := range map[string]string{
		`error.*timeout`: "timeout", `(?:foo)?bar`: "bar", `a|b`: "", `\d+`: "", `(loss)=\d+`: "loss", `x{2,}`: "", `(ab)+`: "ab",
	} {
		p, err := Regexp(expr, false)
		if err != nil || string(p.must) != want {
			t.Errorf("%s: %q, %v, want %q", expr, p.must, err, want)
		}
	}
	p, err := Regexp("Error", true)
	if err != nil || string(p.must) != "error" || !p.fold {
		t.Errorf("%+v %v", p, err)
	}
}

func TestSpansPointIntoColouredRows(t *testing.T) {
	for _, c := range []struct {
		row, needle string
		regex       bool
		want        []string
	}{
		{"an error here, an ERROR there", "error", false, []string{"error", "ERROR"}},
		{"\x1b[31mERR\x1b[0mOR: x", "error", false, []string{"ERR\x1b[0mOR"}},
		{"a1 b22", `\d+`, true, []string{"1", "22"}},
		{"none", "x*", true, nil},
	} {
		var p *Pattern
		var err error
		if c.regex {
			p, err = Regexp(c.needle, true)
		} else {
			p, err = Literal(c.needle, true)
		}
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range p.Spans(c.row) {
			got = append(got, c.row[s[0]:s[1]])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q in %q: %q, want %q", c.needle, c.row, got, c.want)
		}
	}
}

func FuzzRows(f *testing.F) {
	for _, s := range oddLogs {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		out, states := rows(data)
		if len(out) == 0 || len(out) > 4*maxUp+200 || states < 1 {
			t.Fatalf("%d rows, %d states", len(out), states)
		}
		for _, r := range out {
			if strings.ContainsAny(text.Strip(r), "\x1b\n\r\x00") || text.SGR(r) != r {
				t.Fatalf("row %q is not safe", r)
			}
		}
	})
}

func TestTimesBesideALog(t *testing.T) {
	path := write(t, []byte("one\ntwo\n"))
	t0 := time.UnixMilli(1795183925000)
	times := append(TimeRecord(4, t0), TimeRecord(8, t0.Add(time.Minute))...)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "output.times"), times, 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, path)
	if at, ok := l.Time(4); !ok || !at.Equal(t0.Add(time.Minute)) {
		t.Error(at, ok)
	}
	if off := l.Since(t0.Add(time.Second)); off != 4 {
		t.Error(off)
	}
}

func TestOnlyLettersOfASCIIAreMadeSmall(t *testing.T) {
	var all []byte
	for i := range 256 {
		all = append(all, byte(i))
	}
	for cut := range 9 { // whatever stands where in a word
		in := all[cut:]
		got := lower(bytes.Clone(in))
		for i, c := range in {
			want := c
			if c >= 'A' && c <= 'Z' {
				want = c + 32
			}
			if got[i] != want {
				t.Fatalf("byte %#x became %#x", c, got[i])
			}
		}
	}
}

func TestAnEscapeAcrossABorderOfBlocksLeavesNothing(t *testing.T) {
	blocks(t, 64)
	for shift := range 5 {
		l := open(t, write(t, []byte(strings.Repeat("x", shift)+strings.Repeat("\x1b[31m", 100))))
		for _, v := range []View{{}, {Expand: true}} {
			all, err := l.Lines(context.Background(), 0, 1000, v)
			if err != nil || len(all) < 5 {
				t.Fatal(len(all), err)
			}
			for _, x := range all {
				if got := strings.Trim(text.Strip(strings.Join(x.Rows, "")), "x"); got != "" {
					t.Errorf("%d before, at %d: %q", shift, x.Offset, got)
				}
			}
		}
	}
}
