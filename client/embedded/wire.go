package embedded

import "strconv"

// double is a number that keeps its fraction in JSON, as Java writes it: 1.0.
type double float64

// MarshalJSON writes the shortest decimal with at least one digit after the point.
func (d double) MarshalJSON() ([]byte, error) {
	b := strconv.AppendFloat(nil, float64(d), 'f', -1, 64)
	for _, c := range b {
		if c == '.' {
			return b, nil
		}
	}
	return append(b, ".0"...), nil
}

// json completes records and gives them the types of the wire.
func (cl *class) json(c *call, q querier, recs ...record) error {
	if cl.view != nil {
		if err := cl.view(c, q, recs); err != nil {
			return err
		}
	}
	for _, rec := range recs {
		wireDate(rec, "created")
		wireDate(rec, "updated")
		for i := range cl.fields {
			f := &cl.fields[i]
			switch {
			case f.hide:
				delete(rec, f.name)
			case f.kind == stamp:
				wireDate(rec, f.name)
			case f.kind == number:
				if v, ok := rec[f.name].(float64); ok {
					rec[f.name] = double(v)
				}
			}
		}
	}
	return nil
}

// wireDate turns milliseconds into the string of digits the API uses.
func wireDate(rec record, name string) {
	if ms, ok := rec[name].(int64); ok {
		rec[name] = strconv.FormatInt(ms, 10)
	}
}
