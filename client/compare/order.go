package compare

// order keeps rows in the order in which analyses list them: a key that a later
// analysis adds stands behind the key that precedes it there.
type order struct {
	nodes map[rowKey]*node
	heads [sections]*node // sentinels
}

const sections = int(Results) + 1

type rowKey struct {
	section Section
	key     string
	nth     int
}

type node struct {
	of   int // the input that used it last, from 1
	row  *Row
	next *node
}

func newOrder() *order {
	o := &order{nodes: map[rowKey]*node{}}
	for i := range o.heads {
		o.heads[i] = &node{}
	}
	return o
}

// place finds the node of a key, or makes one behind the last node that the
// same analysis used in that section.
func (o *order) place(k rowKey, after [sections]*node) *node {
	if n, ok := o.nodes[k]; ok {
		return n
	}
	s := int(k.section)
	if s < 0 || s >= sections {
		s = int(Results)
	}
	prev := after[s]
	if prev == nil {
		prev = o.heads[s]
	}
	n := &node{next: prev.next}
	prev.next = n
	o.nodes[k] = n
	return n
}

func (o *order) rows() []Row {
	rows := make([]Row, 0, len(o.nodes))
	for _, head := range o.heads {
		for n := head.next; n != nil; n = n.next {
			rows = append(rows, *n.row)
		}
	}
	return rows
}
