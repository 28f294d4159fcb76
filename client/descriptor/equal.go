package descriptor

import "slices"

// Equal reports whether two values mean the same: numbers by size (1 and
// 1.0), dates by instant, the ids of a ListDomain as a set, other lists item
// by item. A text is read as the other value's type first, since servers
// store every value as text; one id equals a list of just that id.
func (v Value) Equal(w Value) bool {
	if !v.IsSet() || !w.IsSet() {
		return v.IsSet() == w.IsSet()
	}
	if v.typ == w.typ {
		return sameType(v, w)
	}
	if isPlain(v.typ) {
		v, w = w, v
	}
	if isPlain(w.typ) || v.typ == ListDomain && w.typ != Boolean || v.typ == List && w.typ == Domain {
		if x, err := ParseValue(v.typ, w.text); err == nil {
			return sameType(v, x)
		}
	}
	if w.typ == ListDomain && v.typ != Boolean || w.typ == List && v.typ == Domain {
		if x, err := ParseValue(w.typ, v.text); err == nil {
			return sameType(x, w)
		}
	}
	return v.text == w.text
}

func isPlain(t Type) bool {
	switch t {
	case Number, Boolean, Date, Domain, ListDomain, List:
		return false
	}
	return true
}

func sameType(v, w Value) bool {
	switch v.typ {
	case Date:
		a, aok := v.Time()
		b, bok := w.Time()
		return aok && bok && a.Equal(b)
	case ListDomain:
		a, b := v.List(), w.List()
		slices.Sort(a)
		slices.Sort(b)
		return slices.Equal(a, b)
	case Number, Boolean, Domain, List:
		return v.text == w.text
	}
	return unquote(v.text) == unquote(w.text)
}
