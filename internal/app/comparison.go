package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// jobValues are the values of a job that a person chose.
func jobValues(j client.Job) []client.Value {
	var values []client.Value
	for _, p := range j.Parameters {
		dp := descriptor.Parameter{ID: p.Name}
		if dp.IsServerInput() || dp.IsSecret() {
			continue
		}
		v := client.Value{Parameter: p.Name, Origin: client.FromAnalysis}
		if p.Value != nil {
			v.Text = *p.Value
		}
		values = append(values, v)
	}
	return values
}

// Compare puts analyses side by side. What cannot be read of one of them (its
// results on a server that does not answer, an algorithm that vanished) is
// missing in its column and no reason to show nothing.
func (s *Session) Compare(ctx context.Context, analyses []Analysis) (compare.Table, error) {
	if len(analyses) == 0 {
		return compare.Table{}, errors.New("nothing to compare: name at least one analysis")
	}
	names := newNamer(s)
	algorithms := map[client.ID]client.Algorithm{}
	inputs := make([]compare.Input, len(analyses))
	for i, a := range analyses {
		if err := ctx.Err(); err != nil {
			return compare.Table{}, err
		}
		if full, err := s.full(a); err == nil {
			a = full
		}
		in := compare.Input{Key: a.Key(), Title: a.Title()}
		in.Entries = append(in.Entries, s.facts(a)...)
		in.Entries = append(in.Entries, s.parameterEntries(ctx, a, algorithms, names)...)
		in.Entries = append(in.Entries, s.resultEntries(ctx, a)...)
		inputs[i] = in
	}
	return compare.New(inputs), nil
}

func textEntry(section compare.Section, key, value string) compare.Entry {
	v, _ := descriptor.ParseValue(descriptor.String, value)
	return compare.Entry{Section: section, Key: key, Value: v, Text: value}
}

func numberEntry(section compare.Section, key string, n float64, q compare.Quantity) compare.Entry {
	v, _ := descriptor.ParseValue(descriptor.Number, formatNumber(n))
	e := compare.Entry{Section: section, Key: key, Value: v, Quantity: q}
	switch q {
	case compare.Seconds:
		e.Text, e.Better = text.Duration(time.Duration(n*float64(time.Second))), compare.Lower
	case compare.Bytes:
		e.Text = text.Bytes(int64(n))
	}
	return e
}

func formatNumber(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// facts are the rows on the analysis itself.
func (s *Session) facts(a Analysis) []compare.Entry {
	now := s.Env.Now()
	es := []compare.Entry{
		textEntry(compare.Facts, "algorithm", a.Name()),
		textEntry(compare.Facts, "state", a.State().Word),
		textEntry(compare.Facts, "launched", a.Created().Local().Format("2006-01-02 15:04:05")),
		textEntry(compare.Facts, "by", a.Person()),
		textEntry(compare.Facts, "where", a.Where()),
	}
	if d := a.Duration(now); d > 0 {
		es = append(es, numberEntry(compare.Facts, "duration", d.Seconds(), compare.Seconds))
	}
	if a.Run == nil {
		return es
	}
	if a.Run.Resources.GPUs > 0 {
		es = append(es, numberEntry(compare.Facts, "gpus", float64(a.Run.Resources.GPUs), compare.Plain))
	}
	if a.Run.Algorithm.Container != "" {
		es = append(es, textEntry(compare.Facts, "container", a.Run.Algorithm.Container))
	}
	if a.Run.Note != "" {
		es = append(es, textEntry(compare.Facts, "note", a.Run.Note))
	}
	r := a.Run.Result
	if r == nil {
		return es
	}
	if r.Digest != "" {
		es = append(es, textEntry(compare.Facts, "container digest", r.Digest))
	}
	if r.Exit != nil {
		exit := fmt.Sprint(r.Exit.Code)
		if r.Exit.Signal != "" {
			exit = "signal: " + r.Exit.Signal
		}
		es = append(es, textEntry(compare.Facts, "exit", exit))
		if r.Exit.MaxRSS > 0 {
			e := numberEntry(compare.Facts, "peak memory", float64(r.Exit.MaxRSS), compare.Bytes)
			e.Better = compare.Lower
			es = append(es, e)
		}
	}
	if r.FirstError != "" {
		es = append(es, textEntry(compare.Facts, "first error", r.FirstError))
	}
	return es
}

// parameterEntries are the rows of the parameters: what was chosen, and for
// what a job does not record, the default that the server used at launch
// without recording it (contract §5.1).
func (s *Session) parameterEntries(ctx context.Context, a Analysis, algorithms map[client.ID]client.Algorithm, names *namer) []compare.Entry {
	known := s.parametersOf(ctx, a, algorithms)
	values, err := s.Values(ctx, a)
	if err != nil {
		values = nil
	}
	chosen := map[string]client.Value{}
	for _, v := range values {
		chosen[v.Parameter] = v
	}
	var es []compare.Entry
	listed := map[string]bool{}
	for _, p := range known {
		listed[p.ID] = true
		v, ok := chosen[p.ID]
		e := compare.Entry{Section: compare.Parameters, Key: p.ID, Label: p.Label()}
		switch {
		case ok:
			e.Value, e.Text = parse(p, v.Text), names.show(ctx, p, v)
			if v.Text == "" {
				e.Text = "(none)"
			}
		case p.Default != nil && *p.Default != "":
			e.Value = parse(p, *p.Default)
			e.Text = names.show(ctx, p, client.Value{Text: *p.Default})
			e.Note = "default at launch"
		default:
			continue
		}
		es = append(es, e)
	}
	// Duplicate names, and parameters that the algorithm has no more.
	seen := map[string]int{}
	for _, v := range values {
		seen[v.Parameter]++
		if listed[v.Parameter] && seen[v.Parameter] == 1 {
			continue
		}
		p := descriptor.Parameter{ID: v.Parameter, Type: descriptor.String}
		e := compare.Entry{Section: compare.Parameters, Key: v.Parameter, Value: parse(p, v.Text), Text: v.Text}
		if !listed[v.Parameter] {
			e.Note = "no longer a parameter"
		}
		es = append(es, e)
	}
	return es
}

// parse reads a value as its parameter's type; what does not fit is text.
func parse(p descriptor.Parameter, s string) descriptor.Value {
	v, err := descriptor.ParseValue(p.Type, s)
	if err != nil {
		v, _ = descriptor.ParseValue(descriptor.String, s)
	}
	return v
}

// parametersOf are the parameters as they were at launch, or as the server
// knows them now; an algorithm that vanished has none.
func (s *Session) parametersOf(ctx context.Context, a Analysis, algorithms map[client.ID]client.Algorithm) []descriptor.Parameter {
	var out []descriptor.Parameter
	if a.Run != nil {
		for _, p := range a.Run.Algorithm.Parameters {
			if !p.SetByServer && !p.IsServerInput() && !p.ServerParameter {
				out = append(out, p.Parameter)
			}
		}
		return out
	}
	id := a.Job.Algorithm
	algorithm, ok := algorithms[id]
	if !ok {
		algorithm, _ = s.algorithm(ctx, id)
		algorithms[id] = algorithm
	}
	return UserParameters(algorithm)
}

// Results is what an analysis wrote.
type Results struct {
	Counts []client.TermCount
	Files  []client.JobFile
}

// Annotations is the number of annotations over all terms.
func (r Results) Annotations() int {
	n := 0
	for _, c := range r.Counts {
		n += c.Count
	}
	return n
}

// Results reads what an analysis wrote to the server.
func (s *Session) Results(ctx context.Context, a Analysis) (Results, error) {
	var r Results
	if a.JobID() == 0 {
		return r, nil
	}
	if a.Run != nil && a.Run.Server.URL != s.Profile.URL {
		return r, fmt.Errorf("the results of %s lie on another server, %s", a.Title(), text.Line(a.Run.Server.URL))
	}
	job := client.Job{ID: a.JobID(), Project: s.Project.ID}
	if a.Run != nil {
		job.Project, job.UserJob = a.Run.Project.ID, a.Run.UserJob
	}
	if a.Job != nil {
		job = *a.Job
	}
	var err error
	if counter, ok := s.Server.(client.AnnotationCounter); ok {
		if r.Counts, err = counter.AnnotationCounts(ctx, job); err != nil {
			return r, err
		}
	}
	if files, ok := s.Server.(client.FileStore); ok {
		if r.Files, err = files.JobFiles(ctx, job.ID); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (s *Session) resultEntries(ctx context.Context, a Analysis) []compare.Entry {
	if a.Run != nil && a.Run.State != runner.Succeeded && a.JobID() == 0 {
		return nil
	}
	r, err := s.Results(ctx, a)
	if err != nil {
		return []compare.Entry{textEntry(compare.Results, "results", "not readable: "+err.Error())}
	}
	es := []compare.Entry{numberEntry(compare.Results, "annotations", float64(r.Annotations()), compare.Plain)}
	for _, c := range r.Counts {
		name := c.Name
		if name == "" {
			name = "no term"
		}
		es = append(es, numberEntry(compare.Results, name+", count", float64(c.Count), compare.Plain))
		if c.Unit != "" {
			e := numberEntry(compare.Results, name+", area", c.Area, compare.Plain)
			e.Text, e.Unit = fmt.Sprintf("%.4g", c.Area), c.Unit
			es = append(es, e)
		}
	}
	for _, f := range r.Files {
		e := numberEntry(compare.Results, "file "+f.Name, float64(f.Size), compare.Bytes)
		if f.Size < 0 {
			e = textEntry(compare.Results, "file "+f.Name, "upload not finished")
		}
		es = append(es, e)
	}
	return es
}

// namer shows ids of options as names, with one request per uri.
type namer struct {
	s     *Session
	names map[string]map[string]string // uri -> id -> name
}

func newNamer(s *Session) *namer { return &namer{s: s, names: map[string]map[string]string{}} }

func (n *namer) show(ctx context.Context, p descriptor.Parameter, v client.Value) string {
	if p.Type != descriptor.Domain && p.Type != descriptor.ListDomain {
		return ""
	}
	ids := strings.Split(v.Text, ",")
	shown := make([]string, 0, len(ids))
	for i, id := range ids {
		id = strings.TrimSpace(id)
		switch {
		case id == "":
			continue
		case i < len(v.Labels) && v.Labels[i] != "" && len(v.Labels) == len(ids):
			shown = append(shown, v.Labels[i])
		default:
			shown = append(shown, n.name(ctx, p, id))
		}
	}
	return strings.Join(shown, ", ")
}

func (n *namer) name(ctx context.Context, p descriptor.Parameter, id string) string {
	known, ok := n.names[p.URI]
	if !ok {
		known = map[string]string{}
		n.names[p.URI] = known
		if p.URI != "" {
			_ = n.s.Options(ctx, p, func(os []client.Option) error {
				for _, o := range os {
					known[idText(o.ID)] = OptionLabel(p, o)
				}
				return nil
			})
		}
	}
	if name := known[id]; name != "" {
		return name
	}
	return id
}

// OptionLabel is the name under which an option is shown: its print attribute,
// else the first attribute that names things, else its id (contract §4.1).
func OptionLabel(p descriptor.Parameter, o client.Option) string {
	for _, attribute := range append([]string{p.URIPrint}, "name", "instanceFilename", "originalFilename", "filename", "username", "humanName") {
		if s := strings.TrimSpace(o.Fields.Get(attribute)); attribute != "" && s != "" {
			return s
		}
	}
	if s := o.Fields.Get("softwareName"); s != "" {
		return s + " #" + o.Fields.Get("number")
	}
	return idText(o.ID)
}
