package descriptor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// quote shows text inside a message: quoted, escaped, at most 60 characters.
func quote(s string) string {
	const limit = 60
	if len(s) > limit {
		if r := []rune(s[:min(len(s), 4*limit+4)]); len(r) > limit {
			s = string(r[:limit]) + "…"
		}
	}
	return strconv.Quote(s)
}

// boolWords are the spellings of true and false that people and files use.
var boolWords = map[string]bool{
	"true": true, "yes": true, "y": true, "on": true, "t": true, "1": true,
	"false": false, "no": false, "n": false, "off": false, "f": false, "0": false,
}

func parseBool(s string) (bool, error) {
	b, ok := boolWords[strings.ToLower(strings.TrimSpace(s))]
	if !ok {
		return false, fmt.Errorf("%s is neither true nor false", quote(s))
	}
	return b, nil
}

// parseDomain reads the id of one option. Options of unusual servers may have
// ids that are not numbers, so only an obvious list is refused.
func parseDomain(s string) (string, error) {
	if ids := splitIDs(s); len(ids) > 1 && !slices.ContainsFunc(ids, func(id string) bool { return !isID(id) }) {
		return "", fmt.Errorf("%s are %d ids, but one is wanted", quote(s), len(ids))
	} else if len(ids) == 1 {
		return ids[0], nil
	}
	return s, nil
}

func isID(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return digits != "" && allDigits(digits)
}

// splitIDs reads a list of ids as people paste them: 1,2,3 or [1, 2, 3], or
// numbers separated by spaces, semicolons or line ends.
func splitIDs(s string) []string {
	loose := strings.FieldsFunc(trimBrackets(s), func(r rune) bool {
		return r == ',' || r == ';' || unicode.IsSpace(r)
	})
	if !slices.ContainsFunc(loose, func(id string) bool { return !isID(id) }) {
		return loose
	}
	return splitItems(s)
}

// splitItems reads free items separated by commas or line ends, without empty
// ones and without spaces around them.
func splitItems(s string) []string {
	var items []string
	for item := range strings.FieldsFuncSeq(trimBrackets(s), func(r rune) bool { return r == ',' || r == '\n' }) {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// trimBrackets drops the brackets of a list written as JSON or by Groovy; a
// list of lists stays as it is.
func trimBrackets(s string) string {
	if len(s) >= 2 && s[0] == '[' && s[len(s)-1] == ']' && !strings.ContainsAny(s[1:len(s)-1], "[]") {
		return s[1 : len(s)-1]
	}
	return s
}

// unique drops later repetitions and keeps the order.
func unique(items []string) []string {
	seen := make(map[string]bool, len(items))
	kept := items[:0:0]
	for _, item := range items {
		if !seen[item] {
			seen[item] = true
			kept = append(kept, item)
		}
	}
	return kept
}
