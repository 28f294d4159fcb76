package prompt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
)

// mostListed is how many choices are printed at once.
const mostListed = 15

// choice asks for one of the choices of a parameter, by number or as it is
// written.
func (a *asker) choice(f *forms.Field) error {
	p := f.Parameter
	if len(p.Choices) > mostListed {
		a.say("%d choices; type part of one to see those that fit.", len(p.Choices))
	} else {
		a.list(p.Choices)
	}
	var listed []string
	if len(p.Choices) <= mostListed {
		listed = p.Choices
	}
	for {
		var fit []string
		_, err := a.line(question(f), func(answer string) error {
			answer = strings.TrimSpace(answer)
			// What is written like a choice is that choice, even a number.
			if n, err := strconv.Atoi(answer); err == nil && !slices.Contains(p.Choices, answer) && n >= 1 && n <= len(listed) {
				answer = listed[n-1]
			}
			wrong := a.take(f, answer)
			if wrong != nil && answer != "" && len(p.Choices) > mostListed {
				fit = fitting(p.Choices, answer)
				return nil
			}
			return wrong
		})
		if err != nil || fit == nil {
			return err
		}
		if listed = fit[:min(len(fit), mostListed)]; len(fit) == 0 {
			a.say("Nothing fits.")
		} else {
			a.say("%d fit:", len(fit))
			a.list(listed)
		}
	}
}

func fitting(choices []string, part string) []string {
	fit := []string{}
	for _, c := range choices {
		if strings.Contains(strings.ToLower(c), strings.ToLower(part)) {
			fit = append(fit, c)
		}
	}
	return fit
}

func (a *asker) list(lines []string) {
	for i, line := range lines {
		a.say("%d. %s", i+1, line)
	}
}

// options asks for options: a part of a name shows the ones that fit under
// numbers, which choose. Several are chosen one after another.
func (a *asker) options(f *forms.Field) error {
	p := f.Parameter
	_, count, err := a.Find(a.ctx, p, "", 0)
	if err != nil {
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		a.say("its options cannot be read: %s", err)
		a.say("Type ids.")
		return a.text(f)
	}
	many := p.Type == descriptor.ListDomain
	a.say("%s. Type part of a name to see those that fit.", text.Plural(count, "option"))
	if many {
		a.say("Numbers choose, such as 1,3-5; all is every option, + all that fit, @NAME a selection; %s starts again, Enter ends.", none)
	}
	var listed, fit []Option
	part := ""
	for {
		chosen := len(f.Value().List())
		title := question(f)
		if many {
			title = fmt.Sprintf("%s [%d chosen]:", shortName(p), chosen)
		}
		search, done := "", false
		_, err := a.line(title, func(answer string) error {
			search, done = "", false
			answer = strings.TrimSpace(answer)
			if answer == "" {
				done = true
				return wrong(f)
			}
			if answer == none {
				done = !many && f.Parameter.Optional
				a.form.Clear(p.ID)
				if many {
					return nil
				}
				return wrong(f)
			}
			if many {
				// Sets of options, by what they fit.
				fits, isSet := map[string]string{"all": "", "+": part}[answer]
				if strings.HasPrefix(answer, "@") {
					fits, isSet = answer, true
				}
				if isSet && (answer != "+" || part != "") {
					all, _, err := a.Find(a.ctx, p, fits, -1)
					if err != nil {
						return impossible(err.Error())
					}
					return a.add(f, all)
				}
			}
			if picked, ok := numbered(answer, listed); ok {
				if !many && len(picked) > 1 {
					return impossible("choose one")
				}
				done = !many
				if many {
					return a.add(f, picked)
				}
				return a.take(f, picked[0].ID, picked[0].Name)
			}
			search = answer
			return nil
		})
		if err != nil {
			return err
		}
		if done {
			return nil
		}
		if search == "" {
			continue
		}
		if part = search; part == "" {
			continue
		}
		if fit, count, err = a.Find(a.ctx, p, part, mostListed); err != nil {
			return err
		}
		listed = fit
		switch {
		case count == 0:
			a.say("Nothing fits %q.", part)
			continue
		case count == 1:
			a.say("1 option fits:")
		case count > len(fit):
			a.say("%s options fit; these are the first %d:", text.Count(count), len(fit))
		default:
			a.say("%d options fit:", count)
		}
		for i, o := range fit {
			a.say("%d. %s (%s)", i+1, text.Line(o.Name), o.ID)
		}
	}
}

// add chooses further options.
func (a *asker) add(f *forms.Field, options []Option) error {
	ids, labels := f.Value().List(), f.Labels
	if len(labels) != len(ids) {
		labels = nil
	}
	complete := len(labels) == len(ids)
	for _, o := range options {
		if !slices.Contains(ids, o.ID) {
			ids = append(ids, o.ID)
			labels = append(labels, o.Name)
		}
	}
	if !complete {
		labels = nil
	}
	return a.take(f, strings.Join(ids, ","), labels...)
}

// numbered reads numbers and ranges of the list that was just printed; ok is
// false where the answer is something else.
func numbered(answer string, listed []Option) (picked []Option, ok bool) {
	for part := range strings.SplitSeq(answer, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		first, err := strconv.Atoi(strings.TrimSpace(from))
		last := first
		if err == nil && isRange {
			last, err = strconv.Atoi(strings.TrimSpace(to))
		}
		if err != nil || first < 1 || last < first || last > len(listed) {
			return nil, false
		}
		picked = append(picked, listed[first-1:last]...)
	}
	return picked, true
}
