package app

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// SortOptions orders options by the parameter's sort attribute, else by what is
// shown: numbers as numbers, names as people count them, and times (contract
// §3: `created` and the like) newest first. Options without the attribute come
// last, equal ones by id. It is made for lists of 100,000.
func SortOptions(p descriptor.Parameter, options []client.Option) {
	attribute := p.URISort
	if !slices.ContainsFunc(options, func(o client.Option) bool { return o.Fields.Get(attribute) != "" }) {
		attribute = ""
	}
	rows := make([]orderedOption, len(options))
	numbers := true
	for i, o := range options {
		text := o.Fields.Get(attribute)
		if attribute == "" {
			text = OptionLabel(p, o)
		}
		rows[i] = orderedOption{option: o, text: text, empty: text == ""}
		if numbers && text != "" {
			n, err := strconv.ParseFloat(text, 64)
			rows[i].number, numbers = n, err == nil
		}
	}
	if !numbers {
		for i := range rows {
			rows[i].number, rows[i].text = 0, naturalKey(rows[i].text)
		}
	}
	newestFirst := attribute == "created" || attribute == "updated"
	slices.SortFunc(rows, func(a, b orderedOption) int {
		if a.empty != b.empty {
			if a.empty {
				return 1
			}
			return -1
		}
		order := 0
		if numbers {
			order = cmp.Compare(a.number, b.number)
		} else {
			order = strings.Compare(a.text, b.text)
		}
		if newestFirst {
			order = -order
		}
		return cmp.Or(order, cmp.Compare(a.option.ID, b.option.ID))
	})
	for i := range rows {
		options[i] = rows[i].option
	}
}

// orderedOption is an option with what it is ordered by.
type orderedOption struct {
	option client.Option
	text   string
	number float64
	empty  bool
}

// naturalKey is a text whose plain order is the one people expect: without
// regard to case, and with the numbers in it as numbers, img2 before img10. Each
// number is written after its length.
func naturalKey(s string) string {
	s = strings.ToLower(s)
	if !strings.ContainsAny(s, "0123456789") {
		return s
	}
	key := make([]byte, 0, len(s)+8)
	for i := 0; i < len(s); {
		n := 0
		for i+n < len(s) && '0' <= s[i+n] && s[i+n] <= '9' {
			n++
		}
		if n == 0 {
			key = append(key, s[i])
			i++
			continue
		}
		number := strings.TrimLeft(s[i:i+n], "0")
		key = append(key, '0', byte(min(len(number), 255)))
		key = append(key, number...)
		i += n
	}
	return string(key)
}
