package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// Methods is what a paper says of analyses: a paragraph for each algorithm as it
// ran, and a table with a row for each analysis.
type Methods struct {
	Schema     int         `json:"schema"`
	Paragraphs []string    `json:"paragraphs"`
	Head       []string    `json:"head"`
	Rows       [][]string  `json:"rows"`
	Missing    []string    `json:"missing"` // what is not recorded and a reader may ask for
	Of         []MethodsOf `json:"analyses"`
}

// MethodsOf is what is known of one analysis.
type MethodsOf struct {
	ID         string            `json:"id"`
	Title      string            `json:"title"`
	Algorithm  string            `json:"algorithm"`
	Version    string            `json:"version,omitempty"`
	Modified   string            `json:"modified,omitempty"` // what was not the algorithm's own
	Container  string            `json:"container,omitempty"`
	Digest     string            `json:"digest,omitempty"`
	Parameters map[string]string `json:"parameters"` // those that are not the default
	Images     int               `json:"images"`     // that were chosen; 0: not by a parameter
	Machine    string            `json:"machine,omitempty"`
	Started    time.Time         `json:"started,omitzero"`
	Ended      time.Time         `json:"ended,omitzero"`
	Seconds    float64           `json:"seconds"`
	State      string            `json:"state"`
	Results    int               `json:"annotations"` // -1: not known

	order    []string          // names of Parameters
	defaults map[string]string // values of those that were left alone
	runtime  string
	receipt  Receipt
}

// Methods reads everything that a paper tells of analyses.
func (s *Session) Methods(ctx context.Context, analyses []Analysis) (Methods, error) {
	m := Methods{Schema: runner.Schema, Missing: []string{}}
	names := newNamer(s)
	for _, a := range analyses {
		a, err := s.full(a)
		if err != nil {
			return m, err
		}
		var r Receipt
		if a.Run != nil {
			r = runReceipt(*a.Run, s.Env.Now())
		} else if r, err = s.jobReceipt(ctx, a); err != nil {
			return m, err
		}
		if r.Algorithm.Name == "" {
			r.Algorithm.Name, r.Algorithm.Version = a.NameAndVersion()
		}
		o := methodsOf(ctx, a, r, names)
		results, _, err := newComparing(s).resultsOf(ctx, a)
		if err == nil {
			o.Results = results.Annotations()
		}
		m.Of = append(m.Of, o)
	}
	m.write()
	return m, nil
}

func methodsOf(ctx context.Context, a Analysis, r Receipt, names *namer) MethodsOf {
	o := MethodsOf{
		ID: a.Key(), Title: a.Title(), Algorithm: r.Algorithm.Name, Version: r.Algorithm.Version, Parameters: map[string]string{}, defaults: map[string]string{},
		Started: r.Times.Started, Ended: r.Times.Ended, Seconds: r.Times.Seconds, State: a.State().Word, Results: -1, receipt: r,
	}
	if o.Started.IsZero() {
		o.Started = a.Created()
	}
	if r.Launch != nil {
		o.Modified = r.Launch.Modified
	}
	if r.Container != nil {
		o.Container, o.Digest = r.Container.Reference, r.Container.Digest
	}
	if r.Machine != nil {
		o.Machine, o.runtime = machineText(*r.Machine), "with "+strings.TrimSpace(r.Machine.Runtime+" "+r.Machine.RuntimeVersion)
		if r.Machine.Runtime == string(runner.Process) {
			o.runtime = "without a container"
		}
	}
	defaults := map[string]descriptor.Parameter{}
	for _, p := range r.Algorithm.Parameters {
		defaults[p.ID] = p.Parameter
	}
	for _, v := range r.Values {
		p, known := defaults[v.Parameter]
		if !known {
			p = descriptor.Parameter{ID: v.Parameter, Type: descriptor.String}
		}
		if p.IsSecret() || p.IsServerInput() {
			continue
		}
		if isImages(p) {
			o.Images += len(parse(p, v.Text).List())
			continue
		}
		if known && p.Default != nil && parse(p, *p.Default).Equal(parse(p, v.Text)) || v.Text == "" && (p.Default == nil || *p.Default == "") {
			o.defaults[p.Label()] = cmp.Or(text.Line(v.Text), "none")
			continue
		}
		shown := names.show(ctx, p, v)
		if shown == "" {
			shown = v.Text
		}
		if shown == "" {
			shown = "none"
		}
		label := p.Label()
		if o.Parameters[label] != "" {
			label = p.ID
		}
		o.Parameters[label] = text.Line(shown)
		o.order = append(o.order, label)
	}
	return o
}

// isImages tells whether a parameter chooses images.
func isImages(p descriptor.Parameter) bool {
	return (p.Type == descriptor.Domain || p.Type == descriptor.ListDomain) && strings.Contains(strings.ToLower(p.URI), "imageinstance")
}

func machineText(m runner.Machine) string {
	var parts []string
	if m.CPU != "" {
		parts = append(parts, m.CPU)
	}
	if m.CPUs > 0 {
		parts = append(parts, text.Plural(m.CPUs, "core"))
	}
	if m.Memory > 0 {
		parts = append(parts, text.Memory(m.Memory)+" of memory")
	}
	gpus := map[string]int{}
	var order []string
	for _, g := range m.GPUs {
		if gpus[g.Name]++; gpus[g.Name] == 1 {
			order = append(order, g.Name)
		}
	}
	for _, name := range order {
		parts = append(parts, fmt.Sprintf("%d × %s", gpus[name], name))
	}
	if m.GPUDriver != "" {
		parts = append(parts, "driver "+m.GPUDriver)
	}
	if m.OS != "" {
		parts = append(parts, m.OS)
	}
	return text.Line(strings.Join(parts, ", "))
}

// write makes the paragraphs and the table.
func (m *Methods) write() {
	m.Head = []string{"analysis", "algorithm", "version", "parameters that are not the default", "images", "started", "took", "annotations", "state"}
	type kind struct{ name, version, container, digest, modified string }
	var kinds []kind
	of := map[kind][]MethodsOf{}
	for _, o := range m.Of {
		k := kind{o.Algorithm, o.Version, o.Container, o.Digest, o.code()}
		if of[k] == nil {
			kinds = append(kinds, k)
		}
		of[k] = append(of[k], o)
		images, results := "", ""
		if o.Images > 0 {
			images = text.Count(o.Images)
		}
		if o.Results >= 0 {
			results = text.Count(o.Results)
		}
		m.Rows = append(m.Rows, []string{
			o.Title, o.Algorithm, o.version(), o.parameters(), images, o.Started.Local().Format("2006-01-02 15:04"),
			text.Duration(time.Duration(o.Seconds * float64(time.Second))), results, o.State,
		})
	}
	for _, k := range kinds {
		m.Paragraphs = append(m.Paragraphs, m.paragraph(of[k]))
	}
	slices.Sort(m.Missing)
	m.Missing = slices.Compact(m.Missing)
}

func (o MethodsOf) parameters() string {
	var parts []string
	for _, name := range o.order {
		parts = append(parts, text.Line(name)+" = "+o.Parameters[name])
	}
	return strings.Join(parts, "; ")
}

// paragraph tells of analyses with one algorithm in one container.
func (m *Methods) paragraph(of []MethodsOf) string {
	o := of[0]
	r := o.receipt
	var b strings.Builder
	what := text.Line(o.Algorithm)
	if o.Version != "" {
		what += " version " + text.Line(o.Version)
	} else {
		m.Missing = append(m.Missing, what+" has no version on the server")
	}
	fmt.Fprintf(&b, "Images were analysed with %s", what)
	if o.Container != "" {
		fmt.Fprintf(&b, " (container %s", text.Line(o.Container))
		if o.Digest != "" {
			fmt.Fprintf(&b, ", %s", o.Digest)
		} else {
			m.Missing = append(m.Missing, what+": the digest of its container")
		}
		b.WriteString(")")
	}
	if code := o.code(); code != "" {
		fmt.Fprintf(&b, ", with %s", code)
		for _, src := range o.sources() {
			if src.Commit == "" || src.Dirty > 0 {
				m.Missing = append(m.Missing, what+": the commit of the code in "+text.Line(src.Path))
			}
		}
	}
	fmt.Fprintf(&b, " in project %s of the %s server %s, in %s", quoted(r.Project.Name), kindName(r.Server.Kind), r.Server.URL, plural(len(of), "analysis", "analyses"))
	first, last := span(of)
	if day := first.Local().Format("2 January 2006"); day == last.Local().Format("2 January 2006") {
		fmt.Fprintf(&b, " on %s", day)
	} else {
		fmt.Fprintf(&b, " from %s to %s", day, last.Local().Format("2 January 2006"))
	}
	b.WriteString(". ")
	b.WriteString(settings(of))
	if n := images(of); n != "" {
		fmt.Fprintf(&b, " Each was given %s.", n)
	}
	machines := distinct(of, func(o MethodsOf) string { return o.Machine })
	switch {
	case len(machines) == 0:
		m.Missing = append(m.Missing, what+": what it ran on")
	default:
		fmt.Fprintf(&b, " They ran on %s", strings.Join(machines, ", or on "))
		if rt := distinct(of, func(o MethodsOf) string { return o.runtime }); len(rt) > 0 {
			fmt.Fprintf(&b, " %s", strings.Join(rt, " or "))
		}
		if r.Launch != nil && r.Launch.Cytorun != "" {
			fmt.Fprintf(&b, ", launched by cytorun %s", r.Launch.Cytorun)
		}
		b.WriteString(".")
	}
	return b.String()
}

func quoted(s string) string { return "“" + text.Line(s) + "”" }

func plural(n int, one, many string) string {
	if n == 1 {
		return "one " + one
	}
	return text.Count(n) + " " + many
}

func span(of []MethodsOf) (first, last time.Time) {
	for i, o := range of {
		if i == 0 || o.Started.Before(first) {
			first = o.Started
		}
		if o.Started.After(last) {
			last = o.Started
		}
	}
	return first, last
}

// settings says which parameters were not left at their defaults.
func settings(of []MethodsOf) string {
	var names []string
	for _, o := range of {
		for _, n := range o.order {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	if len(names) == 0 {
		return "All parameters had their default values."
	}
	var parts []string
	for _, n := range names {
		values := distinct(of, func(o MethodsOf) string {
			if v := o.Parameters[n]; v != "" {
				return v
			}
			return cmp.Or(o.defaults[n], "default")
		})
		shown := strings.Join(values[:min(len(values), 8)], ", ")
		if len(values) > 8 {
			shown += fmt.Sprintf(" and %d more values", len(values)-8)
		}
		parts = append(parts, text.Line(n)+" = "+shown)
	}
	return "Parameters were " + strings.Join(parts, "; ") + "; all others had their default values."
}

func images(of []MethodsOf) string {
	n := distinct(of, func(o MethodsOf) string {
		if o.Images == 0 {
			return ""
		}
		return text.Plural(o.Images, "image")
	})
	return strings.Join(n, " or ")
}

// distinct are the values that are not empty, each once, in their order.
func distinct(of []MethodsOf, get func(MethodsOf) string) []string {
	var out []string
	for _, o := range of {
		if v := get(o); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// sources is the code that the person brought, as the program found it.
func (o MethodsOf) sources() []runner.Source {
	if o.receipt.Launch == nil || o.receipt.Launch.Develop == nil {
		return nil
	}
	if m := o.receipt.Machine; m != nil && len(m.Sources) > 0 {
		return m.Sources
	}
	return o.receipt.Launch.Develop.Sources()
}

// code says what was not the algorithm's own, and which code it was.
func (o MethodsOf) code() string {
	if o.Modified == "" {
		return ""
	}
	s := o.Modified
	for _, src := range o.sources() {
		s += fmt.Sprintf("; %s: %s", text.Line(src.Path), text.Line(src.String()))
	}
	for _, v := range o.receipt.Launch.Develop.Env {
		s += "; " + text.Line(v.String())
	}
	return s
}

// version is that of the algorithm, and that it is no evidence where it is none.
func (o MethodsOf) version() string {
	if o.Modified == "" {
		return o.Version
	}
	return strings.TrimSpace(o.Version + " (" + o.Modified + ")")
}
