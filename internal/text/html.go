package text

import (
	"html"
	"strings"
)

// HTML is a description as plain text of several lines: tags are left out,
// paragraphs, list items, rows and headings become lines, links keep their
// address, entities are resolved, scripts, styles and comments vanish. Text
// without tags keeps its own lines. A "<" that starts no tag stays, as in
// "sigma < 2".
func HTML(s string) string {
	var b strings.Builder
	blocks := hasBlocks(s)
	var pre int
	var href string
	linkAt := 0
	for len(s) > 0 {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			i = len(s)
		}
		words(&b, s[:i], blocks && pre == 0)
		s = s[i:]
		if s == "" {
			break
		}
		name, closing, attrs, rest, ok := tag(s)
		if !ok {
			b.WriteByte('<')
			s = s[1:]
			continue
		}
		s = rest
		switch name {
		case "script", "style", "head", "title":
			if !closing {
				s = skipTo(s, name)
			}
		case "br":
			b.WriteByte('\n')
		case "hr", "div", "section", "article", "ul", "ol", "table", "tr", "dt", "blockquote", "figure":
			freshLine(&b)
		case "p", "h1", "h2", "h3", "h4", "h5", "h6":
			freshLine(&b)
			if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n\n") {
				b.WriteByte('\n')
			}
		case "li":
			freshLine(&b)
			if !closing {
				b.WriteString("• ")
			}
		case "dd":
			freshLine(&b)
			if !closing {
				b.WriteString("  ")
			}
		case "td", "th":
			if closing {
				b.WriteString("  ")
			}
		case "pre":
			freshLine(&b)
			if closing {
				pre = max(pre-1, 0)
			} else {
				pre++
			}
		case "a":
			if !closing {
				href, linkAt = attribute(attrs, "href"), b.Len()
				break
			}
			shown := b.String()[min(linkAt, b.Len()):]
			if strings.Contains(href, "://") && !strings.Contains(shown, href) {
				b.WriteString(" (" + href + ")")
			}
			href = ""
		case "img":
			if alt := attribute(attrs, "alt"); alt != "" {
				b.WriteString("[" + alt + "]")
			}
		}
	}
	lines := strings.Split(Block(b.String()), "\n")
	out := lines[:0]
	for _, l := range lines {
		l = strings.TrimRight(l, " ")
		if l == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, l)
	}
	return strings.TrimRight(strings.Join(out, "\n"), " \n")
}

// blockTags are those whose presence says that the author relies on HTML's
// rules for white space.
var blockTags = map[string]bool{"p": true, "br": true, "div": true, "li": true, "ul": true, "ol": true, "table": true, "tr": true,
	"h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "html": true, "body": true}

// inlineTags are the other ones that editors of descriptions write. A word in
// angle brackets that is no tag of HTML, as in "if x<y and z>w", stays.
var inlineTags = map[string]bool{"a": true, "b": true, "i": true, "u": true, "s": true, "em": true, "strong": true, "span": true, "font": true, "small": true,
	"big": true, "sub": true, "sup": true, "code": true, "kbd": true, "tt": true, "pre": true, "img": true, "hr": true, "th": true, "td": true, "thead": true,
	"tbody": true, "tfoot": true, "caption": true, "colgroup": true, "col": true, "dl": true, "dt": true, "dd": true, "blockquote": true, "figure": true,
	"figcaption": true, "section": true, "article": true, "main": true, "nav": true, "header": true, "footer": true, "center": true, "script": true,
	"style": true, "head": true, "title": true, "meta": true, "link": true, "mark": true, "del": true, "ins": true, "strike": true, "abbr": true,
	"cite": true, "q": true, "var": true, "samp": true, "iframe": true, "video": true, "audio": true, "source": true, "svg": true, "button": true,
	"label": true, "input": true, "form": true, "noscript": true, "doctype": true, "wbr": true, "details": true, "summary": true}

// hasBlocks tells whether white space is to be collapsed.
func hasBlocks(s string) bool {
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			return false
		}
		s = s[i:]
		name, _, _, rest, ok := tag(s)
		if !ok {
			s = s[1:]
			continue
		}
		if blockTags[name] {
			return true
		}
		s = rest
	}
}

// maxTag bounds the search for the end of a tag or comment, in bytes, so that
// hostile text costs no more than its length times a constant.
const maxTag = 16 << 10

// tag reads the tag, comment or declaration at the start of s.
func tag(s string) (name string, closing bool, attrs, rest string, ok bool) {
	if strings.HasPrefix(s, "<!--") {
		if i := strings.Index(s[4:min(len(s), maxTag)], "-->"); i >= 0 {
			return "", false, "", s[4+i+3:], true
		}
		return "", false, "", "", false
	}
	i := 1
	if i < len(s) && (s[i] == '/' || s[i] == '!' || s[i] == '?') {
		closing = s[i] == '/'
		i++
	}
	start := i
	for i < len(s) && isName(s[i]) {
		i++
	}
	if i == start {
		return "", false, "", "", false
	}
	name = strings.ToLower(s[start:i])
	if !blockTags[name] && !inlineTags[name] {
		return "", false, "", "", false
	}
	if i < len(s) && s[i] != '>' && s[i] != '/' && !isSpace(s[i]) {
		return "", false, "", "", false // <a@b.c>
	}
	var quote byte
	for j := i; j < min(len(s), maxTag); j++ {
		switch c := s[j]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '<':
			return "", false, "", "", false
		case c == '>':
			return name, closing, s[i:j], s[j+1:], true
		}
	}
	return "", false, "", "", false
}

// attribute is the value of one attribute of a tag, entities resolved.
func attribute(attrs, name string) string {
	low := strings.ToLower(attrs)
	for at := 0; ; {
		i := strings.Index(low[at:], name+"=")
		if i < 0 || len(low) != len(attrs) {
			return ""
		}
		i += at
		at = i + 1
		if i > 0 && !isSpace(attrs[i-1]) {
			continue
		}
		v := attrs[i+len(name)+1:]
		end := len(v)
		if v != "" && (v[0] == '"' || v[0] == '\'') {
			q := v[0]
			v = v[1:]
			if end = strings.IndexByte(v, q); end < 0 {
				return ""
			}
		} else if j := strings.IndexAny(v, " \t\r\n"); j >= 0 {
			end = j
		}
		return html.UnescapeString(v[:end])
	}
}

// words adds text between tags.
func words(b *strings.Builder, s string, collapse bool) {
	if !collapse {
		b.WriteString(html.UnescapeString(s))
		return
	}
	for i, f := range strings.Fields(s) {
		lead := i > 0 || isSpace(s[0])
		if t := b.String(); lead && t != "" && !strings.HasSuffix(t, "\n") && !strings.HasSuffix(t, " ") {
			b.WriteByte(' ')
		}
		b.WriteString(html.UnescapeString(f))
	}
	if s != "" && isSpace(s[len(s)-1]) && b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") && !strings.HasSuffix(b.String(), " ") {
		b.WriteByte(' ')
	}
}

// freshLine starts a line unless one was just started.
func freshLine(b *strings.Builder) {
	if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
		b.WriteByte('\n')
	}
}

// skipTo is what follows the closing tag of name.
func skipTo(s, name string) string {
	for i := 0; i+2 < len(s); i++ {
		if s[i] != '<' || s[i+1] != '/' {
			continue
		}
		if n, closing, _, rest, ok := tag(s[i:]); ok && closing && n == name {
			return rest
		}
	}
	return ""
}

func isName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'
}
