// Package prompt asks for the values of a form line by line, without a screen:
// for screen readers, for terminals that cannot draw, and for people who like it.
//
// Each parameter is one question of huh in its accessible mode, with its help
// before it; nothing is drawn over, coloured or moved. What is good is said by the
// form itself, as everywhere. Long lists of options are never printed: a part of
// a name is asked for, and the few that fit are numbered.
package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"charm.land/huh/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
)

// Option is one choice of a Domain or ListDomain parameter. Its name is
// untrusted.
type Option struct{ ID, Name string }

// Options say how a form is asked.
type Options struct {
	In  io.Reader
	Out io.Writer
	// Find gives the options of a parameter that a text fits, in order, at most
	// limit of them, and how many fit. An empty text fits all, a text such as
	// @cohort-a the options of that selection; a negative limit is none. Where the
	// empty text is an error the parameter becomes a plain text.
	Find func(ctx context.Context, p descriptor.Parameter, text string, limit int) (fit []Option, count int, err error)
	// Preview is what a launch would do with the form as it is, shown before the
	// last question.
	Preview func() string
}

// ErrEnded tells that the input ended before the last question was answered.
var ErrEnded = errors.New("the input ended before the form was complete; nothing was launched")

// none is what a person types for no value, as in a parameter file.
const none = `""`

// Ask asks for every field of the form, the required ones first, and at last
// whether to launch. The form holds the answers.
func Ask(ctx context.Context, form *forms.Form, o Options) (launch bool, err error) {
	a := &asker{ctx: ctx, form: form, Options: o, lines: newLines(ctx, o.In)}
	defer a.lines.close()
	counts := map[forms.Group]int{}
	for _, f := range form.Fields {
		counts[f.Group]++
	}
	a.say("%s: %d required, %d pre-filled, %d optional.", text.Plural(len(form.Fields), "parameter"), counts[forms.Required], counts[forms.Prefilled], counts[forms.Optional])
	a.say(`Enter keeps the value in brackets; %s is no value.`, none)
	for i := range form.Fields {
		if err := a.field(i); err != nil {
			return false, err
		}
	}
	if problems := form.Validate(); problems.Errors() > 0 {
		return false, problems
	}
	if o.Preview != nil {
		a.say("")
		for line := range strings.SplitSeq(o.Preview(), "\n") {
			a.say("%s", line)
		}
	}
	return a.yes("Launch it?")
}

type asker struct {
	Options
	ctx   context.Context
	form  *forms.Form
	lines *lines
}

// mostSaid is how much of a server's text is read out, in cells.
const mostSaid = 2000

// say prints one line, safe for a terminal.
func (a *asker) say(format string, args ...any) {
	fmt.Fprintln(a.Out, text.Truncate(text.Line(fmt.Sprintf(format, args...)), mostSaid))
}

var theme = huh.ThemeFunc(huh.ThemeBase)

// line asks for one line until good accepts it.
func (a *asker) line(question string, good func(string) error) (string, error) {
	var answer string
	input := huh.NewInput().Title(text.Line(question)).Value(&answer).Validate(good).WithTheme(theme)
	if err := input.RunAccessible(a.Out, a.lines); err != nil {
		return "", err
	}
	return answer, a.lines.ended()
}

func (a *asker) yes(question string) (bool, error) {
	var answer bool
	confirm := huh.NewConfirm().Title(text.Line(question)).Value(&answer).WithTheme(theme)
	if err := confirm.RunAccessible(a.Out, a.lines); err != nil {
		return false, err
	}
	return answer, a.lines.ended()
}

// field asks for one field.
func (a *asker) field(i int) error {
	f := &a.form.Fields[i]
	p := f.Parameter
	a.say("")
	a.say("%d of %d: %s, %s", i+1, len(a.form.Fields), text.Truncate(text.Line(p.Label()), 200), f.Group)
	for _, line := range strings.Split(strings.TrimSpace(text.HTML(p.Description)), "\n") {
		if line != "" {
			a.say("%s", line)
		}
	}
	a.say("%s", forms.Describe(p))
	for _, problem := range f.Problems {
		if problem.Warning {
			a.say("note: %s", problem.Message)
		}
	}
	switch {
	case p.URI != "" && a.Find != nil && (p.Type == descriptor.Domain || p.Type == descriptor.ListDomain):
		return a.options(f)
	case len(p.Choices) > 0 && !p.Type.IsList():
		return a.choice(f)
	}
	return a.text(f)
}

// text asks for a value as text.
func (a *asker) text(f *forms.Field) error {
	_, err := a.line(question(f), func(answer string) error { return a.take(f, answer) })
	return err
}

// question is the question for a field: its name and what Enter keeps.
func question(f *forms.Field) string {
	kept := text.Truncate(text.Line(f.Text), 60)
	if len(f.Labels) == 1 {
		kept = text.Truncate(text.Line(f.Labels[0]), 60)
	}
	name := shortName(f.Parameter)
	if f.Text == "" {
		return name + ":"
	}
	return fmt.Sprintf("%s [%s]:", name, kept)
}

// shortName is the id of a parameter, short enough for a question.
func shortName(p descriptor.Parameter) string { return text.Truncate(text.Line(p.ID), 60) }

// take gives the field an answer, and says why it may not have it. No answer
// keeps what is there.
func (a *asker) take(f *forms.Field, answer string, labels ...string) error {
	switch strings.TrimSpace(answer) {
	case "":
		return wrong(f)
	case none:
		a.form.Clear(f.Parameter.ID)
		return wrong(f)
	}
	before := *f
	a.form.Set(f.Parameter.ID, answer, client.FromUser, labels...)
	if err := wrong(f); err != nil {
		a.form.Set(f.Parameter.ID, before.Text, before.Origin, before.Labels...)
		return err
	}
	return nil
}

// wrong is what prevents a launch with the field as it is.
func wrong(f *forms.Field) error {
	var messages []string
	for _, p := range f.Problems {
		if !p.Warning {
			messages = append(messages, text.Line(p.Message))
		}
	}
	if len(messages) == 0 {
		return nil
	}
	return impossible(strings.Join(messages, "; "))
}

// impossible is what is shown below an answer that will not do.
func impossible(why string) error { return refusal(text.Line("Not possible: " + why + ".")) }

// refusal is text for a person, not an error to be wrapped.
type refusal string

func (r refusal) Error() string { return string(r) }
