package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// Compare puts analyses side by side. What cannot be read of one of them (its
// results on a server that does not answer, an algorithm that vanished) is missing
// in its column and no reason to show nothing. seen is told how many have been
// read, one call at a time, and may be nil.
func (s *Session) Compare(ctx context.Context, analyses []Analysis, seen func(done int)) (compare.Table, error) {
	if len(analyses) == 0 {
		return compare.Table{}, errors.New("nothing to compare: name at least one analysis")
	}
	analyses = s.withParameters(ctx, analyses)
	c := newComparing(s)
	c.several = slices.ContainsFunc(analyses, func(a Analysis) bool { return a.Run != nil && a.Run.Server.URL != s.Profile.URL })
	inputs := make([]compare.Input, len(analyses))
	var wg sync.WaitGroup
	next := make(chan int)
	var mu sync.Mutex
	done := 0
	for range min(compareWorkers, len(analyses)) {
		wg.Go(func() {
			for i := range next {
				inputs[i] = c.input(ctx, analyses[i])
				mu.Lock()
				done++
				if seen != nil {
					seen(done)
				}
				mu.Unlock()
			}
		})
	}
	for i := range analyses {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	tellApart(inputs)
	if err := ctx.Err(); err != nil {
		return compare.Table{}, err
	}
	return compare.New(inputs), nil
}

// compareWorkers is how many analyses are read at once: a server answers several
// requests of one person in the time of one, and more would push others aside.
const compareWorkers = 6

// comparing is what the analyses of one comparison share.
type comparing struct {
	s     *Session
	names *namer

	mu         sync.Mutex
	algorithms map[client.ID]*readAlgorithm
	// away is set when the server did not answer, so that it is not asked a
	// thousand times more.
	away error
	// several tells that they are of more than one server.
	several bool
	// noMetrics is set when the server has said that it keeps none.
	noMetrics bool
}

// readAlgorithm is an algorithm, or being read.
type readAlgorithm struct {
	once sync.Once
	a    client.Algorithm
}

func newComparing(s *Session) *comparing {
	return &comparing{s: s, names: newNamer(s), algorithms: map[client.ID]*readAlgorithm{}}
}

// tellApart adds the end of the run id to titles that several columns have, as
// analyses have that redid one job of EXACT.
func tellApart(inputs []compare.Input) {
	times := map[string]int{}
	for _, in := range inputs {
		times[in.Title]++
	}
	for i, in := range inputs {
		if times[in.Title] > 1 && len(in.Key) > 4 {
			inputs[i].Title += " " + in.Key[len(in.Key)-4:]
		}
	}
}

// input is one column.
func (c *comparing) input(ctx context.Context, a Analysis) compare.Input {
	if full, err := c.s.full(a); err == nil {
		a = full
	}
	in := compare.Input{Key: a.Key(), Title: a.Title(), Unfit: !succeeded(a)}
	if c.several {
		in.Entries = append(in.Entries, textEntry(compare.Facts, "server", c.s.serverOf(a)), textEntry(compare.Facts, "project", c.s.projectOf(a)))
	}
	in.Entries = append(in.Entries, c.s.facts(a)...)
	in.Entries = append(in.Entries, c.parameters(ctx, a)...)
	in.Entries = append(in.Entries, c.results(ctx, a)...)
	return in
}

// serverOf and projectOf say where an analysis belongs.
func (s *Session) serverOf(a Analysis) string {
	if a.Run == nil || a.Run.Server.URL == s.Profile.URL {
		return cmp.Or(s.Profile.Name, s.Profile.URL)
	}
	return cmp.Or(a.Run.Server.Profile, a.Run.Server.URL)
}

func (s *Session) projectOf(a Analysis) string {
	if a.Run == nil {
		return s.Project.Name
	}
	return a.Run.Project.Name
}

// failed notes that the server is away, if an error says so.
func (c *comparing) failed(err error) {
	if client.Transient(err) {
		c.mu.Lock()
		c.away = err
		c.mu.Unlock()
	}
}

func (c *comparing) serverAway() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.away
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
	case compare.Memory:
		e.Text = text.Memory(int64(n))
	}
	return e
}

func formatNumber(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// facts are the rows on the analysis itself.
func (s *Session) facts(a Analysis) []compare.Entry {
	now := s.Env.Now()
	es := []compare.Entry{
		textEntry(compare.Facts, "algorithm", a.NameAsRun()),
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
	m, _ := runner.ReadMachine(a.Run.Folder)
	for _, l := range developFacts(a.Run.Develop, m.Sources) {
		es = append(es, textEntry(compare.Facts, l.Name, l.Text))
	}
	if a.Run.Algorithm.Container != "" && a.Run.Runtime != runner.Process {
		es = append(es, textEntry(compare.Facts, "container", a.Run.Algorithm.Container))
	}
	if a.Run.Note != "" {
		es = append(es, textEntry(compare.Facts, "note", a.Run.Note))
	}
	if a.Run.Group != "" {
		es = append(es, textEntry(compare.Facts, "group", a.Run.Group))
	}
	es = append(es, s.machineFacts(*a.Run)...)
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
	}
	es = append(es, usedFacts(*r)...)
	if r.FirstError != "" {
		es = append(es, textEntry(compare.Facts, "first error", r.FirstError))
	}
	return es
}

// machineFacts are the rows on what a run ran on.
func (s *Session) machineFacts(run runner.Run) []compare.Entry {
	m, ok := runner.ReadMachine(run.Folder)
	if !ok {
		return nil
	}
	var es []compare.Entry
	var gpus []string
	for _, g := range m.GPUs {
		gpus = append(gpus, g.Name)
	}
	for _, f := range []struct{ key, value string }{{"host", m.Host}, {"gpu", strings.Join(gpus, ", ")}, {"cpu", m.CPU}} {
		if f.value != "" {
			es = append(es, textEntry(compare.Facts, f.key, f.value))
		}
	}
	return es
}
