package raster

// Mask says of each pixel, row by row, whether it belongs to an object.
type Mask struct {
	W, H int
	In   []bool
}

// NewMask is a mask of nothing.
func NewMask(w, h int) *Mask { return &Mask{W: w, H: h, In: make([]bool, w*h)} }

// Component is a set of connected pixels.
type Component struct {
	Label int32
	Area  int // pixels
	// Edge tells that the border of the image cuts it.
	Edge bool
}

// Labels gives each pixel the label of its component, 0 for none. The label of
// a component is 1 + its place in Components.
type Labels struct {
	W, H       int
	Of         []int32
	Components []Component
}

// Label finds the connected components of a mask; pixels that touch at a side
// or a corner are connected (8-neighbourhood). Components are in the order of
// their first pixel, row by row.
func Label(m *Mask) *Labels {
	l := &Labels{W: m.W, H: m.H, Of: make([]int32, len(m.In))}
	var stack []int
	for start, in := range m.In {
		if !in || l.Of[start] != 0 {
			continue
		}
		c := Component{Label: int32(len(l.Components) + 1)}
		l.Of[start] = c.Label
		stack = append(stack[:0], start)
		for len(stack) > 0 {
			p := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			c.Area++
			x, y := p%m.W, p/m.W
			if x == 0 || y == 0 || x == m.W-1 || y == m.H-1 {
				c.Edge = true
			}
			for ny := max(y-1, 0); ny <= min(y+1, m.H-1); ny++ {
				for nx := max(x-1, 0); nx <= min(x+1, m.W-1); nx++ {
					q := ny*m.W + nx
					if m.In[q] && l.Of[q] == 0 {
						l.Of[q] = c.Label
						stack = append(stack, q)
					}
				}
			}
		}
		l.Components = append(l.Components, c)
	}
	return l
}
