package forms

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// MaxRuns is how many runs one sweep may make.
const MaxRuns = 10_000

// Limits of what is read as a sweep, in bytes: of all of it, and of one number
// of a range, which is computed with exactly.
const (
	maxSweep  = 64 << 10
	maxNumber = 64
)

// Sweep is a parameter that takes several values, one for each run.
type Sweep struct {
	Parameter string
	// Values are the values, different from each other, each as if it had been
	// typed alone and canonical where it is valid.
	Values []client.Value
}

// ParseSweep reads the values of a sweep, separated by commas: `0.1, 0.2, 0.5`,
// `10..50 step 10`, `otsu, triangle`, or both kinds together. A range has a step
// of 1 when it names none, may count down, and ends at the last value that is
// not beyond its end. Quotes keep commas and dots: `"a, b", "1..3"`. A list
// cannot be swept: its items have commas themselves.
//
// The error says what is wrong with the text; whether the values are good is for
// Sweep.Check.
func ParseSweep(p descriptor.Parameter, text string) (Sweep, error) {
	s := Sweep{Parameter: p.ID}
	switch {
	case p.Type.IsList():
		return s, fmt.Errorf("a %s cannot be swept, its values are lists; split it to make one run for each part", p.Type)
	case len(text) > maxSweep:
		return s, fmt.Errorf("%d bytes are too long for a sweep", len(text))
	}
	items, err := sweepItems(text)
	if err != nil {
		return s, err
	}
	seen := map[string]bool{}
	for _, item := range items {
		texts := []string{item.text}
		if !item.quoted {
			if texts, err = rangeValues(item.text, MaxRuns-len(s.Values)); err != nil {
				return s, err
			}
		}
		for _, t := range texts {
			if v, err := descriptor.ParseValue(p.Type, t); err == nil {
				t = v.Text()
			}
			if t == "" || seen[t] {
				continue
			}
			seen[t] = true
			s.Values = append(s.Values, client.Value{Parameter: p.ID, Text: t, Origin: client.FromUser})
		}
		if len(s.Values) > MaxRuns {
			return s, tooManyRuns(len(s.Values))
		}
	}
	if len(s.Values) == 0 {
		return s, fmt.Errorf("a sweep needs values, such as 0.1, 0.2 or 10..50 step 10")
	}
	return s, nil
}

func tooManyRuns(n any) error {
	return fmt.Errorf("the sweep makes %v runs, at most %d are possible at once; use larger steps or fewer values", n, MaxRuns)
}

// IsSweep tells whether text, which is no single value of the parameter, reads
// as several: two numbers for a Number, two choices for a String with choices.
// Free text is never a sweep by itself, because it may hold commas, and neither is
// 1,5, which may be a number; 1, 5 is one.
func IsSweep(p descriptor.Parameter, text string) bool {
	if p.Type.IsList() || !strings.Contains(text, ",") && !strings.Contains(text, "..") || decimalComma(p, text) {
		return false
	}
	if v, err := descriptor.ParseValue(p.Type, text); err == nil && (len(p.Choices) == 0 || len(p.Check(v)) == 0) {
		return false
	}
	s, err := ParseSweep(p, text)
	if err != nil {
		// More runs than possible are a sweep all the same, with that mistake.
		return p.Type == descriptor.Number && rangePattern().MatchString(strings.TrimSpace(text))
	}
	for _, v := range s.Values {
		if _, err := descriptor.ParseValue(p.Type, v.Text); err != nil {
			return false
		}
	}
	return true
}

// decimalComma tells whether text may be one number as half of the world writes
// it, 1,5: too dangerous to be taken for two.
func decimalComma(p descriptor.Parameter, text string) bool {
	whole, fraction, ok := strings.Cut(strings.TrimSpace(text), ",")
	return ok && p.Type == descriptor.Number && whole != "" && fraction != "" &&
		strings.Trim(strings.TrimLeft(whole, "+-"), "0123456789") == "" && strings.Trim(fraction, "0123456789") == ""
}

// Check is what Validate says of each value of a sweep.
func (s Sweep) Check(p descriptor.Parameter) Problems {
	var problems Problems
	for _, v := range s.Values {
		for _, problem := range check(p, v, true) {
			problems = append(problems, problem)
			if len(problems) == 10 {
				return problems
			}
		}
	}
	return problems
}

type sweepItem struct {
	text   string
	quoted bool
}

// sweepItems cuts text at its commas, except inside double quotes.
func sweepItems(text string) ([]sweepItem, error) {
	var items []sweepItem
	for rest := strings.TrimSpace(text); rest != ""; {
		if rest[0] == '"' {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, fmt.Errorf("the quotes of %s are not closed", shown(rest))
			}
			item, err := strconv.Unquote(quoted)
			if err != nil || !utf8.ValidString(item) {
				return nil, fmt.Errorf("cannot read %s", shown(quoted))
			}
			items = append(items, sweepItem{item, true})
			rest = strings.TrimSpace(rest[len(quoted):])
			if rest != "" && rest[0] != ',' {
				return nil, fmt.Errorf("a comma is missing before %s", shown(rest))
			}
			rest = strings.TrimSpace(strings.TrimPrefix(rest, ","))
			continue
		}
		item, more, _ := strings.Cut(rest, ",")
		items = append(items, sweepItem{text: strings.TrimSpace(item)})
		rest = strings.TrimSpace(more)
	}
	return items, nil
}

const rangeNumber = `[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?`

var (
	rangePattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(` + rangeNumber + `)\s*\.\.\s*(` + rangeNumber + `)(?:\s*step\s*(` + rangeNumber + `))?$`)
	})
	rangeLike = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[-+.\d][-+.\deE]*\s*\.\.|^.*\d\s*\.\.\s*.*step`)
	})
)

// rangeValues counts through a range, exactly; what is no range is one value.
func rangeValues(text string, most int) ([]string, error) {
	parts := rangePattern().FindStringSubmatch(text)
	if parts == nil {
		if rangeLike().MatchString(text) {
			return nil, fmt.Errorf("%s is no range; write it as 10..50 step 10", shown(text))
		}
		return []string{text}, nil
	}
	if parts[3] == "" {
		parts[3] = "1"
	}
	var n [3]*big.Rat
	digits := 0
	for i, part := range parts[1:] {
		if _, err := descriptor.ParseValue(descriptor.Number, part); err != nil || len(part) > maxNumber {
			return nil, fmt.Errorf("%s is no number that a range can count with", shown(part))
		}
		var ok bool
		if n[i], ok = new(big.Rat).SetString(part); !ok {
			return nil, fmt.Errorf("%s is no number", shown(part))
		}
		digits = max(digits, decimals(part))
	}
	from, to, step := n[0], n[1], n[2]
	switch {
	case step.Sign() == 0:
		return nil, fmt.Errorf("the step of %s is 0", shown(text))
	case from.Cmp(to) > 0 && step.Sign() > 0:
		step.Neg(step)
	case from.Cmp(to) < 0 && step.Sign() < 0:
		return nil, fmt.Errorf("the steps of %s lead away from its end", shown(text))
	}
	count := new(big.Rat).Quo(new(big.Rat).Sub(to, from), step)
	steps := new(big.Int).Quo(count.Num(), count.Denom())
	if !steps.IsInt64() || steps.Int64() >= int64(most) {
		return nil, tooManyRuns(countText(steps))
	}
	values := make([]string, 0, steps.Int64()+1)
	for at := from; len(values) <= int(steps.Int64()); at = new(big.Rat).Add(at, step) {
		v, err := descriptor.ParseValue(descriptor.Number, at.FloatString(digits))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shown(text), err)
		}
		values = append(values, v.Text())
	}
	return values, nil
}

func countText(steps *big.Int) string {
	if steps.IsInt64() {
		return strconv.FormatInt(steps.Int64()+1, 10)
	}
	return "far too many"
}

// decimals is how many digits after the point a number needs.
func decimals(number string) int {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	_, fraction, _ := strings.Cut(mantissa, ".")
	e, _ := strconv.Atoi(exponent)
	return max(len(fraction)-e, 0)
}

// CountRuns is how many runs sweeps make together: one for each combination of
// their values, or, zipped, one for each place in their lists, which must then be
// of one length.
func CountRuns(sweeps []Sweep, zip bool) (int, error) {
	seen := map[string]bool{}
	runs := 1
	for i, s := range sweeps {
		switch {
		case seen[s.Parameter]:
			return 0, fmt.Errorf("parameter %s is swept twice; put all its values into one sweep", s.Parameter)
		case len(s.Values) == 0:
			return 0, fmt.Errorf("the sweep of %s has no values", s.Parameter)
		case zip && i > 0 && len(s.Values) != len(sweeps[0].Values):
			return 0, fmt.Errorf("zipped sweeps have equally many values, but %s has %d and %s has %d; without zip every combination is run",
				sweeps[0].Parameter, len(sweeps[0].Values), s.Parameter, len(s.Values))
		}
		seen[s.Parameter] = true
		if zip {
			runs = len(s.Values)
			continue
		}
		runs *= len(s.Values)
		if runs > MaxRuns {
			return 0, tooManyRuns("more")
		}
	}
	return runs, nil
}

// Combine gives the values of every run: base with one value of each sweep. The
// first sweep changes slowest. Without sweeps there is one run.
func Combine(base []client.Value, sweeps []Sweep, zip bool) ([][]client.Value, error) {
	n, err := CountRuns(sweeps, zip)
	if err != nil {
		return nil, err
	}
	swept := map[string]bool{}
	for _, s := range sweeps {
		swept[s.Parameter] = true
	}
	var fixed []client.Value
	for _, v := range base {
		if !swept[v.Parameter] {
			fixed = append(fixed, v)
		}
	}
	runs := make([][]client.Value, n)
	for i := range runs {
		values := append(make([]client.Value, 0, len(fixed)+len(sweeps)), fixed...)
		at := i
		chosen := make([]client.Value, len(sweeps))
		for k := len(sweeps) - 1; k >= 0; k-- {
			s := sweeps[k]
			if zip {
				chosen[k] = s.Values[i]
				continue
			}
			chosen[k] = s.Values[at%len(s.Values)]
			at /= len(s.Values)
		}
		runs[i] = append(values, chosen...)
	}
	return runs, nil
}

// Sweeps takes the values apart that are several: those that IsSweep says, as
// somebody typed them into a form.
func Sweeps(parameters []descriptor.Parameter, values []client.Value) (single []client.Value, sweeps []Sweep, problems Problems) {
	known := make(map[string]descriptor.Parameter, len(parameters))
	for _, p := range parameters {
		known[p.ID] = p
	}
	for _, v := range values {
		p, ok := known[v.Parameter]
		if !ok || !IsSweep(p, v.Text) {
			single = append(single, v)
			continue
		}
		s, err := ParseSweep(p, v.Text)
		if err != nil {
			problems = append(problems, Problem{Parameter: p.ID, Message: err.Error()})
			continue
		}
		problems = append(problems, s.Check(p)...)
		sweeps = append(sweeps, s)
	}
	return single, sweeps, problems
}
