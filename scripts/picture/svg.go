package main

import (
	"fmt"
	"html"
	"image/color"
	"io"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// The grid, in pixels. A cell is as wide as a digit of the usual monospaced fonts at
// that size; a browser with another font stretches each piece of text to the grid.
const (
	fontSize   = 14.0
	cellWidth  = 8.43
	cellHeight = 17.0
	baseline   = 13.0
	margin     = 12.0
)

type theme struct{ text, background string }

var (
	dark   = theme{"#d8dee9", "#161b22"}
	bright = theme{"#24292f", "#ffffff"}
)

// draw writes the cells as an SVG picture.
func draw(w io.Writer, cells [][]uv.Cell, t theme, title string) {
	width := 2*margin + cellWidth*float64(len(cells[0]))
	height := 2*margin + cellHeight*float64(len(cells))
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img">`+"\n", width, height, width, height)
	if title != "" {
		fmt.Fprintf(w, "<title>%s</title>\n", html.EscapeString(title))
	}
	fmt.Fprintf(w, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", t.background)
	fmt.Fprintf(w, `<g font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="%g" xml:space="preserve">`+"\n", fontSize)
	for y, row := range cells {
		top := margin + cellHeight*float64(y)
		for _, p := range pieces(row, t) {
			left := margin + cellWidth*float64(p.column)
			if p.background != t.background {
				fmt.Fprintf(w, `<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s"/>`+"\n", left, top, cellWidth*float64(p.width), cellHeight, p.background)
			}
			if strings.TrimSpace(p.text) != "" {
				fmt.Fprintf(w, `<text x="%.2f" y="%.2f" textLength="%.2f" fill="%s"%s>%s</text>`+"\n", left, top+baseline, cellWidth*float64(p.width), p.colour, p.style, html.EscapeString(p.text))
			}
		}
	}
	fmt.Fprintln(w, "</g>\n</svg>")
}

// piece is a run of cells of one row that look the same.
type piece struct {
	column, width      int
	text               string
	colour, background string
	style              string // more attributes of the text, with a leading space
}

// pieces cuts a row. Anything that is not ASCII stands alone, so that a font in which it
// has another width moves nothing else.
func pieces(row []uv.Cell, t theme) []piece {
	var out []piece
	for x := 0; x < len(row); {
		p := look(row[x], t)
		p.column, p.width = x, max(1, row[x].Width)
		if n := len(out); n > 0 && joins(out[n-1], p) {
			out[n-1].text += p.text
			out[n-1].width += p.width
		} else {
			out = append(out, p)
		}
		x += p.width
	}
	return out
}

func joins(a, b piece) bool {
	return a.colour == b.colour && a.background == b.background && a.style == b.style && ascii(a.text) && ascii(b.text)
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// look says how a cell is drawn.
func look(c uv.Cell, t theme) piece {
	p := piece{text: c.Content, colour: hex(c.Style.Fg, t.text), background: hex(c.Style.Bg, t.background)}
	if p.text == "" {
		p.text = " "
	}
	if c.Style.Attrs&uv.AttrReverse != 0 {
		p.colour, p.background = p.background, p.colour
	}
	if c.Style.Attrs&uv.AttrConceal != 0 {
		p.text = strings.Repeat(" ", max(1, c.Width))
	}
	if c.Style.Attrs&uv.AttrBold != 0 {
		p.style += ` font-weight="bold"`
	}
	if c.Style.Attrs&uv.AttrItalic != 0 {
		p.style += ` font-style="italic"`
	}
	if c.Style.Attrs&uv.AttrFaint != 0 {
		p.style += ` opacity="0.6"`
	}
	var line []string
	if c.Style.Underline != uv.UnderlineNone {
		line = append(line, "underline")
	}
	if c.Style.Attrs&uv.AttrStrikethrough != 0 {
		line = append(line, "line-through")
	}
	if len(line) > 0 {
		p.style += ` text-decoration="` + strings.Join(line, " ") + `"`
	}
	return p
}

func hex(c color.Color, otherwise string) string {
	if c == nil {
		return otherwise
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
