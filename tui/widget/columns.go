package widget

import "github.com/cytorun/cytorun/internal/text"

// Column says how wide a column may be and what gives way first.
type Column struct {
	Title    string
	Min, Max int // in cells; a Max of 0 is none
	Weight   int // share of the cells that are left over
	// Drop is when the column vanishes as the terminal gets narrow: the
	// highest first, 0 never.
	Drop  int
	Right bool // numbers
	Main  bool // bold under the cursor
}

// gap parts two columns.
const gap = "  "

// layout shares width among the columns; 0 says that a column is dropped.
func layout(cols []Column, width int) []int {
	widths := make([]int, len(cols))
	used := -len(gap)
	for i, c := range cols {
		widths[i] = max(c.Min, 1)
		used += widths[i] + len(gap)
	}
	for used > width {
		drop := -1
		for i, c := range cols {
			if widths[i] > 0 && c.Drop > 0 && (drop < 0 || c.Drop > cols[drop].Drop) {
				drop = i
			}
		}
		if drop < 0 {
			break
		}
		used -= widths[drop] + len(gap)
		widths[drop] = 0
	}
	if used > width {
		shrink(widths, used-width)
		return widths
	}
	grow(cols, widths, width-used)
	return widths
}

// shrink takes what is too much from the widest columns.
func shrink(widths []int, excess int) {
	for ; excess > 0; excess-- {
		widest := 0
		for i := range widths {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= 1 {
			return
		}
		widths[widest]--
	}
}

// grow gives what is left to the columns by weight, none beyond its maximum.
func grow(cols []Column, widths []int, left int) {
	for left > 0 {
		weights := 0
		for i, c := range cols {
			if widths[i] > 0 && (c.Max == 0 || widths[i] < c.Max) {
				weights += c.Weight
			}
		}
		if weights == 0 {
			return
		}
		given := 0
		for i, c := range cols {
			if widths[i] == 0 || c.Weight == 0 || c.Max > 0 && widths[i] >= c.Max {
				continue
			}
			n := max(left*c.Weight/weights, 1)
			if c.Max > 0 {
				n = min(n, c.Max-widths[i])
			}
			n = min(n, left-given)
			widths[i] += n
			given += n
		}
		left -= given
	}
}

func align(s string, width int, right bool) string {
	if right {
		return text.PadLeft(s, width)
	}
	return text.Pad(s, width)
}
