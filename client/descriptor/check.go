package descriptor

import (
	"fmt"
	"strings"
)

// Check returns what is wrong with a value of the parameter, nothing when it
// may be sent. Messages are lower case, name the limit and what was given,
// and leave out the parameter's name: "must be at least 0; got -1".
func (p Parameter) Check(v Value) []string {
	if !v.IsSet() {
		if p.Optional || p.IsServerInput() {
			return nil
		}
		return []string{"is required"}
	}
	if v.Type() != p.Type {
		read, err := ParseValue(p.Type, v.Text())
		if err != nil {
			return []string{err.Error()}
		}
		v = read
	}
	var problems []string
	if message := p.checkChoices(v); message != "" {
		problems = append(problems, message)
	}
	switch p.Type {
	case Number:
		problems = append(problems, p.checkNumber(v)...)
	case Date:
		problems = append(problems, p.checkDate(v)...)
	}
	return problems
}

func (p Parameter) checkNumber(v Value) []string {
	n, err := parseDecimal(v.Text())
	if err != nil {
		return []string{err.Error()}
	}
	var problems []string
	if p.Integer && !n.isInteger() {
		problems = append(problems, fmt.Sprintf("must be a whole number; got %s", v.Text()))
	}
	if low, ok := numberLimit(p.Minimum); ok && n.compare(low) < 0 {
		problems = append(problems, fmt.Sprintf("must be at least %s; got %s", low.text(), v.Text()))
	}
	if high, ok := numberLimit(p.Maximum); ok && n.compare(high) > 0 {
		problems = append(problems, fmt.Sprintf("must be at most %s; got %s", high.text(), v.Text()))
	}
	return problems
}

func numberLimit(s *string) (decimal, bool) {
	if s == nil {
		return decimal{}, false
	}
	d, err := parseDecimal(*s)
	return d, err == nil
}

func (p Parameter) checkDate(v Value) []string {
	at, ok := v.Time()
	if !ok {
		return nil
	}
	var problems []string
	if low, ok := dateLimit(p.Minimum); ok && at.Before(low.at) {
		problems = append(problems, fmt.Sprintf("must not be before %s; got %s", low.text(), v.Text()))
	}
	if high, ok := dateLimit(p.Maximum); ok && at.After(high.at) {
		problems = append(problems, fmt.Sprintf("must not be after %s; got %s", high.text(), v.Text()))
	}
	return problems
}

func dateLimit(s *string) (date, bool) {
	if s == nil {
		return date{}, false
	}
	d, err := parseDateLimit(*s)
	return d, err == nil
}

// checkChoices wants every item of a list, or the one value, to be a choice.
func (p Parameter) checkChoices(v Value) string {
	if len(p.Choices) == 0 {
		return ""
	}
	for _, item := range v.List() {
		if !p.isChoice(item) {
			return fmt.Sprintf("must be one of %s; got %s", listChoices(p.Choices), quote(item)) + p.nearChoice(item)
		}
	}
	return ""
}

func (p Parameter) isChoice(text string) bool {
	v, err := ParseValue(p.Type, text)
	for _, choice := range p.Choices {
		if choice == text {
			return true
		}
		if c, cerr := ParseValue(p.Type, choice); err == nil && cerr == nil && c.Equal(v) {
			return true
		}
	}
	return false
}

// nearChoice helps where only case or spaces differ.
func (p Parameter) nearChoice(text string) string {
	for _, choice := range p.Choices {
		if strings.EqualFold(strings.TrimSpace(choice), strings.TrimSpace(text)) {
			return "; did you mean " + quote(choice) + "?"
		}
	}
	return ""
}

func listChoices(choices []string) string {
	const most = 8
	var b strings.Builder
	for i, choice := range choices {
		if i == most {
			fmt.Fprintf(&b, " or %d others", len(choices)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strings.Trim(quote(choice), `"`))
	}
	return b.String()
}
