package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/cache"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/demo"
)

// Servers store no usable choices and limits of parameters (contract §2.4), so
// those come in layers. The first one that limits a parameter counts, and the
// parameter says which (descriptor.Parameter.LimitsFrom):
//
//  1. the descriptor that somebody named for this session, see WithDescriptor;
//  2. descriptor files of the person, and the demo's own;
//  3. the descriptor in the algorithm's source, where the server keeps it;
//  4. the constraints that the server stores.

// DescriptorFolder is where a person may keep descriptor files of algorithms.
func (e *Env) DescriptorFolder() string { return filepath.Join(e.Paths.Data, "descriptors") }

// WithDescriptor is the session with a descriptor file for the algorithm that it
// is about to use, whatever name is in it.
func (s *Session) WithDescriptor(file string) (*Session, error) {
	d, err := readDescriptor(file)
	if err != nil {
		return nil, err
	}
	c := *s
	c.named, c.namedFile = d, filepath.Base(file)
	return &c, nil
}

// complete adds what files on this box know of algorithms: the choices and
// limits of parameters, and descriptions where the server has none.
func (e *Env) complete(algorithms ...*client.Algorithm) {
	local := e.localDescriptors()
	for _, a := range algorithms {
		if l, ok := local[strings.ToLower(a.Name)]; ok {
			merge(a, l.Descriptor, "descriptor "+l.file)
		}
		demo.Complete(a)
	}
}

// complete adds all that is known of one algorithm. The server is asked where no
// file of this box knows all parameters.
func (s *Session) complete(ctx context.Context, a *client.Algorithm) {
	if s.isExact() {
		s.bind(a, s.Env.descriptors())
		return
	}
	if s.named != nil {
		merge(a, s.named, "descriptor "+s.namedFile)
	}
	s.Env.complete(a)
	local := s.Env.localDescriptors()[strings.ToLower(a.Name)]
	if !demo.Owns(*a) && !covers(s.named, *a) && !covers(local.Descriptor, *a) {
		s.askForLimits(ctx, a)
	}
}

// covers tells whether a descriptor knows every parameter that people set.
func covers(d *descriptor.Descriptor, a client.Algorithm) bool {
	if d == nil {
		return false
	}
	known := map[string]bool{}
	for _, p := range d.Parameters {
		known[p.ID] = true
	}
	return !slices.ContainsFunc(UserParameters(a), func(p descriptor.Parameter) bool { return !known[p.ID] })
}

// localDescriptor is a descriptor with the name of its file.
type localDescriptor struct {
	*descriptor.Descriptor
	file string
}

// localDescriptors reads the descriptors of DescriptorFolder, by the names in
// them in lower case. A file that is no descriptor is left out.
func (e *Env) localDescriptors() map[string]localDescriptor {
	found := map[string]localDescriptor{}
	for _, l := range e.descriptors() {
		if l.Name != "" {
			found[strings.ToLower(l.Name)] = l
		}
	}
	return found
}

// descriptors reads the descriptors of DescriptorFolder, in the order of their
// names.
func (e *Env) descriptors() []localDescriptor {
	var found []localDescriptor
	files, _ := filepath.Glob(filepath.Join(e.DescriptorFolder(), "*.json"))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if d, _ := descriptor.Parse(file, data); d != nil {
			found = append(found, localDescriptor{d, filepath.Base(file)})
		}
	}
	return found
}

func merge(a *client.Algorithm, d *descriptor.Descriptor, from string) {
	if a.Description == "" {
		a.Description = d.Description
	}
	known := map[string]descriptor.Parameter{}
	for _, p := range d.Parameters {
		known[p.ID] = p
	}
	for i := range a.Parameters {
		p := &a.Parameters[i]
		k := known[p.ID]
		p.TakeLimits(k, from)
		if p.Description == "" {
			p.Description = k.Description
		}
	}
}

// serverLimits is what a server says of the limits of an algorithm.
type serverLimits struct {
	Descriptor []byte                      `json:"descriptor,omitempty"`
	Limits     map[client.ID]client.Limits `json:"limits,omitempty"`
}

// How long the answer of a server counts, and how long it is waited for: an
// algorithm with its source never changes, and a form should open soon.
const (
	limitsKept   = 24 * time.Hour
	limitsWithin = 5 * time.Second
)

// askForLimits adds what the server knows. What cannot be read is left out: the
// form is usable without.
func (s *Session) askForLimits(ctx context.Context, a *client.Algorithm) {
	key := s.answerKey(fmt.Sprintf("limits of algorithm %d", a.ID))
	known, age, ok := cache.Load[serverLimits](s.Env.answers(), key)
	if !ok || age > limitsKept {
		if fresh, err := s.readLimits(ctx, *a); err == nil {
			known = fresh
			cache.Store(s.Env.answers(), key, fresh)
		}
	}
	if len(known.Descriptor) > 0 {
		if d, _ := descriptor.Parse("descriptor.json", known.Descriptor); d != nil {
			merge(a, d, "the algorithm's own descriptor")
		}
	}
	for i := range a.Parameters {
		p := &a.Parameters[i]
		l := known.Limits[p.ServerID]
		p.TakeLimits(descriptor.Parameter{Choices: l.Choices, Minimum: l.Minimum, Maximum: l.Maximum, Integer: l.Integer}, "the server's constraints")
	}
}

// readLimits asks the server, which may keep neither.
func (s *Session) readLimits(ctx context.Context, a client.Algorithm) (serverLimits, error) {
	ctx, stop := context.WithTimeout(ctx, limitsWithin)
	defer stop()
	var found serverLimits
	type answer struct {
		data []byte
		err  error
	}
	source := make(chan answer, 1)
	go func() {
		store, ok := s.Server.(client.DescriptorStore)
		if !ok {
			source <- answer{}
			return
		}
		data, err := store.AlgorithmDescriptor(ctx, a.ID)
		if permanent(err) {
			err = nil
		}
		source <- answer{data, err}
	}()
	var err error
	if store, ok := s.Server.(client.LimitStore); ok {
		if found.Limits, err = store.Limits(ctx, a.Parameters); permanent(err) {
			err = nil
		}
	}
	own := <-source
	found.Descriptor = own.data
	if own.err != nil {
		err = own.err
	}
	return found, err
}

// permanent tells that asking again tomorrow is soon enough.
func permanent(err error) bool {
	return err != nil && !client.Transient(err) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}
