package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
)

// Fill makes the values of a launch from the defaults, earlier values and the
// ones that were set by hand, which win. Options may be given by name as well
// as by id, `all` means every option there is, and @NAME a named selection. What
// is wrong with a value is left to Launch, which says everything at once; where
// options cannot be found, everything is said here.
func (s *Session) Fill(ctx context.Context, a client.Algorithm, prefill, set []client.Value) ([]client.Value, error) {
	values, problems, err := s.fill(ctx, a, prefill, set)
	if err != nil {
		return nil, err
	}
	if len(problems) == 0 {
		return values, nil
	}
	for _, p := range forms.Validate(UserParameters(a), values) {
		if !mentions(problems, p.Parameter) {
			problems = append(problems, p)
		}
	}
	return nil, problems
}

// fill is Fill that gives the problems with options apart. A value that has one
// stays as it was given.
func (s *Session) fill(ctx context.Context, a client.Algorithm, prefill, set []client.Value) ([]client.Value, forms.Problems, error) {
	form := forms.New(UserParameters(a), prefill)
	var unknown []client.Value
	for _, v := range set {
		field := form.Field(v.Parameter)
		if field == nil {
			field = fieldLike(form, v.Parameter)
		}
		if field == nil {
			unknown = append(unknown, v)
			continue
		}
		form.Set(field.Parameter.ID, v.Text, v.Origin, v.Labels...)
	}
	var problems forms.Problems
	for i := range form.Fields {
		f := &form.Fields[i]
		if f.Text == "" {
			continue
		}
		if !needsOptions(*f) {
			problems = append(problems, s.checkIDs(ctx, form, *f)...)
			continue
		}
		ids, labels, wrong, err := s.optionsNamed(ctx, f.Parameter, f.Text)
		if err != nil {
			return nil, nil, err
		}
		if problems = append(problems, wrong...); len(wrong) == 0 {
			form.Set(f.Parameter.ID, ids, f.Origin, labels...)
		}
	}
	return append(form.Values(), unknown...), problems, nil
}

// optionsNamed turns ids, names, named selections and `all` into ids, with the
// names of the options where they are known. The server is asked only where ids
// are not enough.
func (s *Session) optionsNamed(ctx context.Context, p descriptor.Parameter, value string) (ids string, labels []string, problems forms.Problems, err error) {
	ids, labels, err = s.expandSets(p, value)
	if err == nil && p.URI != "" && slices.ContainsFunc(strings.Split(ids, ","), func(s string) bool { return !isID(strings.TrimSpace(s)) }) {
		ids, labels, err = s.resolveOptions(ctx, p, ids)
	}
	var wrong forms.Problems
	if errors.As(err, &wrong) {
		return "", nil, wrong, nil
	}
	return ids, labels, nil, err
}

// fieldLike finds a field by its id in another case, as people type it.
func fieldLike(f *forms.Form, id string) *forms.Field {
	for i := range f.Fields {
		if strings.EqualFold(f.Fields[i].Parameter.ID, id) {
			return &f.Fields[i]
		}
	}
	return nil
}

// needsOptions tells whether a value names options otherwise than by ids.
func needsOptions(f forms.Field) bool {
	p := f.Parameter
	if p.Type != descriptor.Domain && p.Type != descriptor.ListDomain || p.URI == "" && !strings.Contains(f.Text, "@") {
		return false
	}
	if f.Origin == client.FromDefault && f.Text != "all" {
		return false
	}
	return slices.ContainsFunc(strings.Split(f.Text, ","), func(s string) bool { return !isID(strings.TrimSpace(s)) })
}

func isID(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// checkWithin bounds the look at the options that ids typed by hand cost.
const checkWithin = 3 * time.Second

// checkIDs finds ids that a person typed and that mean no option, and keeps the
// names of those that do. Where the options cannot be had in time the ids count
// as they are: the server may be away, or its list broken.
func (s *Session) checkIDs(ctx context.Context, form *forms.Form, f forms.Field) forms.Problems {
	p := f.Parameter
	if f.Origin != client.FromUser || len(f.Labels) > 0 || p.URI == "" || p.Type != descriptor.Domain && p.Type != descriptor.ListDomain {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	ids, labels, err := s.resolveOptions(ctx, p, f.Text)
	var wrong forms.Problems
	if errors.As(err, &wrong) && s.OptionsAge(p) == 0 {
		return wrong
	}
	if err == nil {
		form.Set(p.ID, ids, f.Origin, labels...)
	}
	return nil
}

// optionKey is a name as it is looked up: in lower case, and without spaces
// beside commas, which values do not keep.
func optionKey(name string) string {
	parts := strings.Split(strings.ToLower(name), ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return strings.Join(parts, ",")
}

// resolveOptions turns names, ids and `all` into ids with their names. Names that
// mean no option, or several, are a forms.Problems error.
func (s *Session) resolveOptions(ctx context.Context, p descriptor.Parameter, text string) (ids string, labels []string, err error) {
	var options []client.Option
	err = s.Options(ctx, p, func(o []client.Option) error { options = append(options, o...); return nil })
	if err != nil {
		return "", nil, fmt.Errorf("cannot look up the options of %s: %w; give ids instead", p.ID, err)
	}
	SortOptions(p, options)
	byName := map[string][]client.Option{}
	for _, o := range options {
		n := optionKey(OptionLabel(p, o))
		byName[n] = append(byName[n], o)
		byName[idText(o.ID)] = append(byName[idText(o.ID)], o)
	}
	var chosen []string
	var problems forms.Problems
	add := func(o client.Option) {
		chosen = append(chosen, idText(o.ID))
		labels = append(labels, OptionLabel(p, o))
	}
	words := strings.Split(text, ",")
	if len(byName[optionKey(text)]) > 0 {
		words = []string{text} // a name may hold commas
	}
	for _, word := range words {
		word = strings.TrimSpace(word)
		found := byName[optionKey(word)]
		switch {
		case word == "":
		case len(found) == 1:
			add(found[0])
		case len(found) > 1:
			var ids []string
			for _, o := range found[:min(len(found), 8)] {
				ids = append(ids, idText(o.ID))
			}
			problems = append(problems, forms.Problem{Parameter: p.ID, Message: fmt.Sprintf("%d options are named %q; give one by its id: %s", len(found), word, strings.Join(ids, ", "))})
		case word == "all" && p.Type == descriptor.ListDomain:
			for _, o := range options {
				add(o)
			}
		default:
			problems = append(problems, forms.Problem{Parameter: p.ID, Message: fmt.Sprintf("no option %q; 'cytorun options ALGORITHM %s' lists them", word, p.ID)})
		}
		if len(problems) == 10 {
			break
		}
	}
	if len(problems) > 0 {
		return "", nil, problems
	}
	return strings.Join(chosen, ","), labels, nil
}

// FlagValues reads words as the flags of the algorithm's own command line, as
// one would type them after the program's name.
func FlagValues(a client.Algorithm, words []string) ([]client.Value, error) {
	byFlag := map[string]descriptor.Parameter{}
	for _, p := range UserParameters(a) {
		if p.Flag != "" {
			byFlag[p.Flag] = p
		}
	}
	var vs []client.Value
	for i := 0; i < len(words); i++ {
		flag, value, joined := words[i], "", false
		p, ok := byFlag[flag]
		if !ok {
			if flag, value, joined = strings.Cut(words[i], "="); joined {
				if p, ok = byFlag[flag]; !ok {
					p, ok = byFlag[flag+"="] // flags that end so are written together with their value
				}
			}
		}
		if !ok {
			return nil, fmt.Errorf("%s has no flag %q; 'cytorun algorithms show %s' lists its parameters", text.Line(a.Name), words[i], text.Line(a.Name))
		}
		if !joined {
			if i+1 == len(words) {
				return nil, fmt.Errorf("flag %s of %s needs a value", flag, a.Name)
			}
			i++
			value = words[i]
		}
		vs = append(vs, client.Value{Parameter: p.ID, Text: value, Origin: client.FromUser})
	}
	return vs, nil
}

// Again gives the algorithm and the values of an analysis, to launch it again.
// A run knows its algorithm as it was at launch, also when the server has since
// forgotten it.
func (s *Session) Again(ctx context.Context, a Analysis) (client.Algorithm, []client.Value, error) {
	a, err := s.full(a)
	if err != nil {
		return client.Algorithm{}, nil, err
	}
	values, err := s.Values(ctx, a)
	if err != nil {
		return client.Algorithm{}, nil, err
	}
	if a.Run == nil {
		algorithm, err := s.algorithm(ctx, a.Job.Algorithm)
		return algorithm, values, err
	}
	if a.Run.Server.URL != s.Profile.URL {
		algorithm, err := s.Algorithm(ctx, a.Run.Algorithm.Name)
		return algorithm, values, err
	}
	return algorithmOf(a.Run.Algorithm), values, nil
}

// OptionsNamed gives the options that words name, by id, name or selection, in
// their order; without words all options in the order of the parameter. Words
// that name none are a forms.Problems error.
func (s *Session) OptionsNamed(ctx context.Context, p descriptor.Parameter, words []string) ([]client.Option, error) {
	var all []client.Option
	if err := s.Options(ctx, p, func(o []client.Option) error { all = append(all, o...); return nil }); err != nil {
		return nil, err
	}
	SortOptions(p, all)
	if len(words) == 0 {
		return all, nil
	}
	list := p
	list.Type = descriptor.ListDomain
	byID := make(map[string]client.Option, len(all))
	for _, o := range all {
		byID[idText(o.ID)] = o
	}
	var out []client.Option
	var problems forms.Problems
	for _, word := range words { // one by one: a name may hold commas
		ids, _, wrong, err := s.optionsNamed(ctx, list, word)
		if err != nil {
			return nil, err
		}
		problems = append(problems, wrong...)
		for id := range strings.SplitSeq(ids, ",") {
			o, ok := byID[id]
			if !ok && len(wrong) == 0 {
				problems = append(problems, forms.Problem{Parameter: p.ID, Message: "no option with the id " + id})
			} else if ok && !slices.ContainsFunc(out, func(x client.Option) bool { return x.ID == o.ID }) {
				out = append(out, o)
			}
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return out, nil
}
