package app

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/client/descriptor"
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

// withParameters gives the analyses with the parameters of jobs that ran elsewhere,
// read by pages where that takes fewer requests than asking for each.
func (s *Session) withParameters(ctx context.Context, analyses []Analysis) []Analysis {
	out := append([]Analysis(nil), analyses...)
	missing := map[client.ID]int{}
	var first, last time.Time
	for i, a := range out {
		if a.Run != nil || a.Job == nil || a.Job.Parameters != nil || a.Job.Project != s.Project.ID {
			continue
		}
		missing[a.Job.ID] = i
		if first.IsZero() || a.Job.Created.Before(first) {
			first = a.Job.Created
		}
		if a.Job.Created.After(last) {
			last = a.Job.Created
		}
	}
	f := client.JobFilter{Project: s.Project.ID, CreatedAfter: first, CreatedBefore: last, WithParameters: true, Max: 500}
	for pages := 0; len(missing) > pages+1; pages++ {
		page, err := s.Server.Jobs(ctx, f)
		if err != nil || len(page.Jobs) == 0 {
			break
		}
		for _, job := range page.Jobs {
			if i, ok := missing[job.ID]; ok {
				out[i].Job = &job
				delete(missing, job.ID)
			}
		}
		if f.Offset += len(page.Jobs); f.Offset >= page.Total {
			break
		}
	}
	return out
}

// parameters are the rows of the parameters: what was chosen, and for what a job
// does not record, the default that the server used at launch without recording it
// (contract §5.1).
func (c *comparing) parameters(ctx context.Context, a Analysis) []compare.Entry {
	values, err := c.s.Values(ctx, a)
	if err != nil {
		c.failed(err)
	}
	known := c.parametersOf(ctx, a)
	show := c.names.show
	if a.Run != nil && a.Run.Server.URL != c.s.Profile.URL {
		show = recordedNames // ids of another server mean other things here
	}
	chosen := map[string]client.Value{}
	for _, v := range values {
		chosen[v.Parameter] = v
	}
	var es []compare.Entry
	listed := map[string]bool{}
	for _, p := range known {
		if p.IsSecret() {
			continue
		}
		listed[p.ID] = true
		v, ok := chosen[p.ID]
		e := compare.Entry{Section: compare.Parameters, Key: p.ID, Label: p.Label()}
		switch {
		case ok:
			e.Value, e.Text = parse(p, v.Text), show(ctx, p, v)
			if v.Text == "" {
				e.Text = "(none)"
			}
		case err == nil && p.Default != nil && *p.Default != "":
			e.Value = parse(p, *p.Default)
			e.Text = show(ctx, p, client.Value{Text: *p.Default})
			e.Note = "default at launch"
		default:
			continue
		}
		es = append(es, e)
	}
	return append(es, c.others(ctx, a, values, listed, len(known) > 0)...)
}

// others are the values that the algorithm has no parameter for now: doubled names,
// parameters that were deleted, and all of an algorithm that vanished.
func (c *comparing) others(ctx context.Context, a Analysis, values []client.Value, listed map[string]bool, known bool) []compare.Entry {
	var es []compare.Entry
	seen := map[string]int{}
	for _, v := range values {
		p := descriptor.Parameter{ID: v.Parameter, Type: descriptor.String}
		if p.IsSecret() {
			continue
		}
		if seen[v.Parameter]++; listed[v.Parameter] && seen[v.Parameter] == 1 {
			continue
		}
		if a.Job != nil {
			p = recorded(*a.Job, p)
		}
		e := compare.Entry{Section: compare.Parameters, Key: v.Parameter, Label: p.Label(), Value: parse(p, v.Text), Text: c.names.show(ctx, p, v)}
		if e.Text == "" {
			e.Text = v.Text
		}
		if !listed[v.Parameter] && known {
			e.Note = "no longer a parameter"
		}
		es = append(es, e)
	}
	return es
}

// recorded is a parameter as far as a job tells of it.
func recorded(job client.Job, p descriptor.Parameter) descriptor.Parameter {
	for _, jp := range job.Parameters {
		if jp.Name == p.ID {
			p.Name = jp.Label
			p.Type, _ = descriptor.ParseType(jp.Type)
		}
	}
	return p
}

// parse reads a value as its parameter's type; what does not fit is text.
func parse(p descriptor.Parameter, s string) descriptor.Value {
	v, err := descriptor.ParseValue(p.Type, s)
	if err != nil {
		v, _ = descriptor.ParseValue(descriptor.String, s)
	}
	return v
}

// parametersOf are the parameters as they were at launch, or as the server knows
// them now; an algorithm that vanished has none.
func (c *comparing) parametersOf(ctx context.Context, a Analysis) []descriptor.Parameter {
	var out []descriptor.Parameter
	if a.Run != nil {
		for _, p := range a.Run.Algorithm.Parameters {
			if !p.SetByServer && !p.IsServerInput() && !p.ServerParameter {
				out = append(out, p.Parameter)
			}
		}
		return out
	}
	if a.Job == nil || c.serverAway() != nil {
		return nil
	}
	id := a.Job.Algorithm
	c.mu.Lock()
	r := c.algorithms[id]
	if r == nil {
		r = &readAlgorithm{}
		c.algorithms[id] = r
	}
	c.mu.Unlock()
	r.once.Do(func() {
		var err error
		if r.a, err = c.s.algorithm(ctx, id); err != nil {
			c.failed(err)
		}
	})
	return UserParameters(r.a)
}

// recordedNames are the names of options as they were at launch; empty where there
// are none.
func recordedNames(_ context.Context, p descriptor.Parameter, v client.Value) string {
	if p.Type != descriptor.Domain && p.Type != descriptor.ListDomain {
		return ""
	}
	return strings.Join(v.Labels, ", ")
}

// namer shows ids of options as names, with one request per uri. It is safe for use
// by several goroutines.
type namer struct {
	s   *Session
	mu  sync.Mutex
	off bool // ids are good enough
	// known are the names by uri and attribute shown, by id.
	known map[[2]string]map[string]string
}

func newNamer(s *Session) *namer { return &namer{s: s, known: map[[2]string]map[string]string{}} }

// show names the options of a value; empty where the parameter has none.
func (n *namer) show(ctx context.Context, p descriptor.Parameter, v client.Value) string {
	if n.off || p.Type != descriptor.Domain && p.Type != descriptor.ListDomain {
		return ""
	}
	ids := strings.Split(v.Text, ",")
	shown := make([]string, 0, len(ids))
	for i, id := range ids {
		id = strings.TrimSpace(id)
		switch {
		case id == "":
		case len(v.Labels) == len(ids) && v.Labels[i] != "":
			shown = append(shown, v.Labels[i])
		default:
			shown = append(shown, n.name(ctx, p, id))
		}
	}
	return strings.Join(shown, ", ")
}

func (n *namer) name(ctx context.Context, p descriptor.Parameter, id string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := [2]string{p.URI, p.URIPrint}
	known, ok := n.known[key]
	if !ok {
		known = map[string]string{}
		n.known[key] = known
		if p.URI != "" {
			// A list that cannot be read leaves the ids as they are.
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
