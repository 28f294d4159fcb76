package text

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"printable text is unchanged", "Nuclei (v1.2)", "Nuclei (v1.2)"},
		{"letters of other scripts are unchanged", "Zellzählung 細胞 клетки", "Zellzählung 細胞 клетки"},
		{"line breaks and tabs become one space each", "a\nb\r\nc\td", "a b c d"},
		{"unicode line breaks too", "a\u2028b\u0085c", "a b c"},
		{"an escape sequence shows what it is", "\x1b[31mred", "␛[31mred"},
		{"other controls become pictures", "a\x00b\x07c\x7f", "a␀b␇c␡"},
		{"8-bit controls are replaced", "a\u009b31m", "a\ufffd31m"},
		{"invalid UTF-8 is replaced", "a\xffb\xc3", "a\ufffdb\ufffd"},
		{"direction overrides are visible", "gpj.\u202eexe", "gpj.\ufffdexe"},
		{"direction marks vanish", "a\u200eb\u200fc\u061cd", "abcd"},
		{"zero width characters vanish", "ad\u200bm\ufeffin\u2060\u00ad", "admin"},
		{"tag characters vanish", "x\U000e0041\U000e007f", "x"},
		{"blank letters become spaces", "a\u3164b\u00a0c", "a b c"},
		{"marks without a letter get a place", "\u0301x", "◌\u0301x"},
		{"a tower of marks is cut", "e" + strings.Repeat("\u0301", 50), "e" + strings.Repeat("\u0301", 4)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Line(c.in); got != c.want {
				t.Errorf("Line(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestBlock(t *testing.T) {
	got := Block("one\r\ntwo\rthree\tx\n\x1b[2Jfour\n")
	want := "one\ntwo\nthree   x\n␛[2Jfour\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSGR(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"colours stay and are reset at the end", "\x1b[1;31mred", "\x1b[1;31mred\x1b[m"},
		{"a line that resets gets no second reset", "\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"},
		{"colours by number and component stay", "\x1b[38;5;208ma\x1b[48;2;8;8;8mb\x1b[m", "\x1b[38;5;208ma\x1b[48;2;8;8;8mb\x1b[m"},
		{"concealing and blinking do not", "\x1b[8mhidden\x1b[5;32mx\x1b[m", "hidden\x1b[32mx\x1b[m"},
		{"leading zeros do not smuggle them in", "\x1b[08mhidden", "hidden"},
		{"cursor movement is dropped", "a\x1b[2Jb\x1b[10;10Hc\x1b[?25l", "abc"},
		{"a title is dropped", "\x1b]0;pwned\x07a\x1b]2;x\x1b\\b", "ab"},
		{"a hyperlink keeps its text", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"},
		{"a sequence that never ends hides nothing", "a\x1b]0;rest of line", "a0;rest of line"},
		{"a broken colour hides nothing", "a\x1b[31", "a31"},
		{"device control is dropped", "\x1bPq#0~~\x1b\\x", "x"},
		{"a charset switch is dropped", "\x1b(0qqq\x1b(B", "qqq"},
		{"a lone escape at the end is dropped", "x\x1b", "x"},
		{"other controls become pictures", "a\bb", "a␈b"},
		{"tabs are expanded", "ab\tc", "ab      c"},
		{"tabs do not count colours", "\x1b[1mab\tc\x1b[m", "\x1b[1mab      c\x1b[m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := SGR(c.in); got != c.want {
				t.Errorf("SGR(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
	if got := Strip("\x1b[31mred\x1b[0m \x1b]0;t\x07x"); got != "red x" {
		t.Errorf("Strip leaves %q", got)
	}
}

func TestHTML(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain text keeps its lines", "one\ntwo", "one\ntwo"},
		{"entities are resolved", "a &lt; b &amp;&nbsp;c &eacute;", "a < b & c é"},
		{"a comparison is no tag", "sigma < 2 and x<3 > 1, x<y and z>w", "sigma < 2 and x<3 > 1, x<y and z>w"},
		{"paragraphs and breaks", "<p>One\n two.</p><p>Three<br/>four</p>", "One two.\n\nThree\nfour"},
		{"lists", "<ul><li>a</li><li><b>b</b> c</li></ul>end", "• a\n• b c\nend"},
		{"inline tags vanish", "<b>bold</b> and <i>thin</i>", "bold and thin"},
		{"links keep their address", `see <a href="https://x.org/a?b=1&amp;c=2">paper</a>.`, "see paper (https://x.org/a?b=1&c=2)."},
		{"links that show it do not repeat it", `<a href="https://x.org">https://x.org</a>`, "https://x.org"},
		{"scripts and styles vanish", "a<script>alert('<p>')</script>b<style>p{}</style>c<!-- no -->d", "abcd"},
		{"script links vanish", `<a href="javascript:x()">go</a>`, "go"},
		{"tables", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a  b\nc"},
		{"quotes may hold brackets", `<p title="a>b">x</p>`, "x"},
		{"a mail address stays", "mail <me@x.org>", "mail <me@x.org>"},
		{"escapes hidden in entities are caught", "&#27;[31mred", "␛[31mred"},
		{"tags that never end stay", "<p", "<p"},
		{"preformatted text keeps its space", "<p>x</p><pre>a  b\n  c</pre>", "x\n\na  b\n  c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := HTML(c.in); got != c.want {
				t.Errorf("HTML(%q)\n got %q\nwant %q", c.in, got, c.want)
			}
		})
	}
}

func TestHTMLOfHostileSizeEndsSoon(t *testing.T) {
	for _, piece := range []string{"<!--", "<a '", "<p", "<script>", "</", "<a href=x"} {
		in := strings.Repeat(piece, 200_000/len(piece))
		start := time.Now()
		HTML(in)
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%q repeated took %v", piece, d)
		}
	}
}

func TestTruncateAndPad(t *testing.T) {
	for _, c := range []struct {
		in        string
		width     int
		cut, fill string
	}{
		{"abc", 5, "abc", "abc  "},
		{"abcdef", 4, "abc…", "abc…"},
		{"abc", 0, "", ""},
		{"abc", -1, "", ""},
		{"abc", 1, "…", "…"},
		{"細胞核", 4, "細…", "細… "},
		{"細胞核", 6, "細胞核", "細胞核"},
		{"\x1b[31mabcdef\x1b[m", 4, "\x1b[31mabc…\x1b[m", "\x1b[31mabc…\x1b[m"},
	} {
		if got := Truncate(c.in, c.width); got != c.cut {
			t.Errorf("Truncate(%q, %d) = %q, want %q", c.in, c.width, got, c.cut)
		}
		if got := Pad(c.in, c.width); got != c.fill {
			t.Errorf("Pad(%q, %d) = %q, want %q", c.in, c.width, got, c.fill)
		}
	}
	if got := PadLeft("12", 4); got != "  12" {
		t.Errorf("PadLeft = %q", got)
	}
}

func TestCutAndWrap(t *testing.T) {
	if got := Cut("abcdef", 2, 4); got != "cd" {
		t.Errorf("Cut = %q", got)
	}
	if got := Cut("abc", 5, 9); got != "" {
		t.Errorf("Cut behind the end = %q", got)
	}
	if got := Strip(Cut("\x1b[31mabcdef\x1b[m", 2, 4)); got != "cd" {
		t.Errorf("Cut of colours = %q", got)
	}
	if got := strings.Join(Wrap("one two three", 7), "|"); got != "one two|three" {
		t.Errorf("Wrap = %q", got)
	}
	for _, l := range Wrap("a_word_that_is_longer_than_the_line", 10) {
		if Width(l) > 10 {
			t.Errorf("line %q is too long", l)
		}
	}
}

func TestFormats(t *testing.T) {
	for n, want := range map[int64]string{-1: "?", 0: "0 B", 999: "999 B", 1000: "1.0 kB", 1234: "1.2 kB", 9949: "9.9 kB", 9960: "10 kB",
		75_600_000: "76 MB", 999_600_000: "1.0 GB", 9_100_000_000: "9.1 GB", 1 << 62: "5 EB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -999: "-999"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{-time.Hour: "0 s", 0: "0 s", 40 * time.Millisecond: "40 ms", 420 * time.Millisecond: "0.4 s", 9960 * time.Millisecond: "10 s", 12 * time.Second: "12 s",
		59600 * time.Millisecond: "1m00s", 192 * time.Second: "3m12s", 2*time.Hour + 5*time.Minute: "2h05m", 76 * time.Hour: "3d04h"} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
	now := time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{0: "just now", 30 * time.Second: "30 s ago", 5 * time.Minute: "5 min ago", 3 * time.Hour: "3 h ago",
		50 * time.Hour: "2 d ago", 49 * 24 * time.Hour: "2026-10-02", -5 * time.Second: "just now", -2 * time.Hour: "in 2 h"} {
		if got := Ago(now.Add(-d), now); got != want {
			t.Errorf("Ago(%v) = %q, want %q", d, got, want)
		}
	}
	if got := Ago(time.Time{}, now); got != "never" {
		t.Errorf("Ago(zero) = %q", got)
	}
}

// unsafe names what in s must not reach a terminal, "" for nothing.
func unsafe(s string, allowed string) string {
	if !utf8.ValidString(s) {
		return "invalid UTF-8"
	}
	for _, r := range s {
		if strings.ContainsRune(allowed, r) {
			continue
		}
		switch {
		case unicode.IsControl(r):
			return "a control character"
		case unicode.Is(unicode.Cf, r):
			return "a format character"
		case unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return "a line separator"
		}
	}
	return ""
}

var hostile = []string{
	"", "plain", "a\nb", "\x1b[31mx\x1b[0m", "\x1b]52;c;aGk=\x07", "\u202eabc", "\xff\xfe", "e\u0301\u0301", "\t\t", "👍🏽👩‍👩‍👧", "細胞", "<p>a</p>", "&#27;",
	"\x1bP\x1b\\", "\x9b31m", "\u009d0;x\u009c", "ไทย", "\U0001F1E9\U0001F1EA", "a\r\nb\rc", "<!-- -->", "\x1b[38;5;8m\x1b[8mx", "\x1b[\x1b[m", "ᄀᅠᆨ",
}

func FuzzShown(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		width %= 200
		line, block, plain := Line(s), Block(s), Strip(s)
		for name, got := range map[string]string{"Line": line, "Strip": plain, "HTML, one line": Line(HTML(s)), "Truncate": Truncate(line, width), "Pad": Pad(line, width)} {
			if bad := unsafe(got, ""); bad != "" {
				t.Fatalf("%s(%q) = %q holds %s", name, s, got, bad)
			}
		}
		for name, got := range map[string]string{"Block": block, "HTML": HTML(s)} {
			if bad := unsafe(got, "\n"); bad != "" {
				t.Fatalf("%s(%q) = %q holds %s", name, s, got, bad)
			}
		}
		if again := Line(line); again != line {
			t.Fatalf("Line(%q) = %q, again %q", s, line, again)
		}
		if again := Block(block); again != block {
			t.Fatalf("Block(%q) = %q, again %q", s, block, again)
		}
		if got := Width(Truncate(line, width)); got > max(width, 0) {
			t.Fatalf("Truncate(%q, %d) takes %d cells", line, width, got)
		}
		if got := Width(Pad(line, width)); got != max(width, 0) {
			t.Fatalf("Pad(%q, %d) takes %d cells", line, width, got)
		}
	})
}

func FuzzSGR(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := SGR(s)
		if again := SGR(got); again != got {
			t.Fatalf("SGR(%q) = %q, again %q", s, got, again)
		}
		rest := got
		for {
			i := strings.IndexByte(rest, 0x1b)
			if i < 0 {
				break
			}
			if bad := unsafe(rest[:i], ""); bad != "" {
				t.Fatalf("SGR(%q) = %q holds %s", s, got, bad)
			}
			n, params, sgr := escape(rest[i:])
			if _, ok := colours(params); !sgr || !ok {
				t.Fatalf("SGR(%q) = %q holds another escape", s, got)
			}
			rest = rest[i+n:]
		}
		if bad := unsafe(rest, ""); bad != "" {
			t.Fatalf("SGR(%q) = %q holds %s", s, got, bad)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	for b.Loop() {
		Line("CellDetect_Stardist_HE_ROI (v1.3.2)")
	}
}

func TestPluralCountsThings(t *testing.T) {
	for n, want := range map[int]string{0: "0 runs", 1: "1 run", 2: "2 runs"} {
		if got := Plural(n, "run"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// FuzzWidth holds the fast way to count cells against the careful one.
func FuzzWidth(f *testing.F) {
	for _, s := range append(hostile, "\x1b[1;38;5;110m▌\x1b[m sigma · 2.5 ★ +0.5 (+25 %) …", "\x1b[38:5:8m–\u0301", "★\ufe0f", "·\u200d·", "│╭─⣿✓×", "\x1b[?25l", "\x1b[1") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := Width(s), ansi.StringWidth(s); got != want {
			t.Fatalf("Width(%q) = %d, want %d", s, got, want)
		}
	})
}

func TestEachSignOfTheScreensIsOneCellWide(t *testing.T) {
	n := 0
	for r := rune(0x80); r < 0x30000; r++ {
		if !sign(r) {
			continue
		}
		n++
		for _, s := range []string{string(r), "a" + string(r) + "b", string(r) + string(r)} {
			if got, want := Width(s), ansi.StringWidth(s); got != want {
				t.Errorf("Width(%q) of %U = %d, want %d", s, r, got, want)
			}
		}
	}
	if n == 0 {
		t.Error("no sign is known")
	}
}
