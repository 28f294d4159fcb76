package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// EXACT stores of an algorithm no more than its name and its package. What runs is
// said by a descriptor of this box that names the package. A job there is over one
// image, so that the images are a parameter of every algorithm, and a launch over
// several of them is one run for each.

// isExact tells whether the session's server is one of EXACT.
func (s *Session) isExact() bool { return s.Profile.Kind == client.Exact }

// exactImages is where EXACT lists images.
const exactImages = "/api/v1/images/images/"

// imageChoice is how people choose the images of a launch.
func imageChoice() client.Parameter {
	return client.Parameter{Parameter: descriptor.Parameter{
		ID: descriptor.ImagesParameter, Name: "Images", Description: "One analysis for each of them.",
		Type: descriptor.ListDomain, RawType: string(descriptor.ListDomain),
		URI: exactImages + "?image_set=$currentProject$", URIPrint: "name", URISort: "name",
	}}
}

// PerImage tells whether a launch of this algorithm is one run for each image of
// its parameter descriptor.ImagesParameter.
func PerImage(a client.Algorithm) bool {
	return slices.ContainsFunc(a.Parameters, func(p client.Parameter) bool { return p.ID == descriptor.ImagesParameter && p.URI == imageChoice().URI })
}

// bind completes an algorithm of EXACT by its descriptor, and says why there is
// none.
func (s *Session) bind(a *client.Algorithm, local []localDescriptor) (why string) {
	if s.named != nil {
		bindTo(a, s.named)
		return ""
	}
	if a.Package == "" {
		return "its plugin names no package on the server, so that no descriptor belongs to it; name one with --descriptor FILE"
	}
	var files []string
	for _, l := range local {
		if l.ExactPackage == a.Package {
			files = append(files, l.file)
		}
	}
	switch len(files) {
	case 0:
		return fmt.Sprintf("no descriptor on this box is for its package %s; 'cytorun descriptor new --exact-package %s' begins one", a.Package, a.Package)
	case 1:
		at := slices.IndexFunc(local, func(l localDescriptor) bool { return l.ExactPackage == a.Package })
		bindTo(a, local[at].Descriptor)
		return ""
	}
	return fmt.Sprintf("%d descriptors on this box are for its package %s: %s; keep one of them in %s, or name one with --descriptor",
		len(files), a.Package, strings.Join(files, ", "), s.Env.DescriptorFolder())
}

// Missing says why an algorithm cannot run on this box; empty where it can, as far
// as is known before a launch.
func (s *Session) Missing(a client.Algorithm) string {
	if !s.isExact() || PerImage(a) {
		return ""
	}
	return s.bind(&a, s.Env.descriptors())
}

// bindTo takes from a descriptor what EXACT does not store.
func bindTo(a *client.Algorithm, d *descriptor.Descriptor) {
	a.Version, a.Container, a.CommandLine, a.Writes = d.Version, d.Container.Image, d.CommandLine, d.ExactWrites
	if d.Description != "" {
		a.Description = d.Description
	}
	a.Parameters = []client.Parameter{imageChoice()}
	for i, p := range d.Parameters {
		if p.ID != descriptor.ImagesParameter {
			a.Parameters = append(a.Parameters, client.Parameter{Parameter: p, Index: i + 1})
		}
	}
}

// chosenImages are the ids and names of the images that values choose.
func chosenImages(values []client.Value) []runner.ImageRef {
	_, ids, labels := chosen(values, descriptor.ImagesParameter)
	var out []runner.ImageRef
	for i, text := range ids {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			continue
		}
		image := runner.ImageRef{ID: client.ID(id)}
		if i < len(labels) {
			image.Name = labels[i]
		}
		out = append(out, image)
	}
	return out
}

// CountImages is how many images a request on EXACT is over.
func CountImages(r LaunchRequest) int { return len(chosenImages(r.Values)) }

// EachImage makes one request for each image of requests on EXACT, in their order;
// others stay as they are.
func EachImage(requests []LaunchRequest) ([]LaunchRequest, error) {
	var out []LaunchRequest
	for _, r := range requests {
		if !PerImage(r.Algorithm) || len(chosenImages(r.Values)) < 2 {
			out = append(out, r)
			continue
		}
		parts, err := Split(r, descriptor.ImagesParameter, 1)
		if err != nil {
			return nil, err
		}
		out = append(out, parts...)
	}
	return out, nil
}

// checkExact tells what keeps requests from being launched on EXACT.
func (s *Session) checkExact(ctx context.Context, requests []LaunchRequest) error {
	seen := map[client.ID]bool{}
	for _, r := range requests {
		if !PerImage(r.Algorithm) {
			return fmt.Errorf("algorithm %s cannot run on this box: %s", text.Line(r.Algorithm.Name), text.Line(cmp.Or(s.Missing(r.Algorithm), "it was read before its descriptor was there; try again")))
		}
		images := chosenImages(r.Values)
		if len(images) != 1 {
			return forms.Problems{{Parameter: descriptor.ImagesParameter, Message: fmt.Sprintf("an analysis on EXACT is over one image, not %d", len(images))}}
		}
		if seen[images[0].ID] {
			return forms.Problems{{Parameter: descriptor.ImagesParameter, Message: fmt.Sprintf(
				"image %s would be analysed several times at once, and EXACT keeps one job of an algorithm for each image; launch one after the other with --existing redo", cmp.Or(images[0].Name, idText(images[0].ID)))}}
		}
		seen[images[0].ID] = true
	}
	return s.checkRights(ctx, requests)
}

// checkRights tells what the account may not do that the runs of requests will
// have to, before they leave jobs on the server that nobody of theirs can end.
func (s *Session) checkRights(ctx context.Context, requests []LaunchRequest) error {
	server, ok := s.Server.(*exact.Client)
	if !ok {
		return nil
	}
	results := slices.ContainsFunc(requests, func(r LaunchRequest) bool {
		return r.Algorithm.Writes.Result() && algorithmSpec(r.Algorithm).IsFileProgram()
	})
	lacking := server.LackingRights(ctx, results)
	if len(lacking) == 0 {
		return nil
	}
	return fmt.Errorf("%s may not run analyses on %s: %w: the account lacks %s; ask the server's administrator for that, or log in as somebody who has it",
		text.Line(cmp.Or(s.Profile.User, "this account")), s.Profile.URL, client.ErrForbidden, strings.Join(lacking, ", "))
}

// Existing is a job that an image of a launch has already. EXACT keeps one for each
// image and algorithm.
type Existing struct {
	Image runner.ImageRef
	Job   client.Job
	at    int // its request
}

// Busy tells whether a worker has the job, so that it cannot be redone.
func (e Existing) Busy() bool { return e.Job.Status == client.Running }

// Fresh tells whether nobody has begun the job, so that redoing it deletes nothing.
func (e Existing) Fresh() bool { return e.Job.Status == client.InQueue }

// String says what is there: "field_a.png: job 12, succeeded".
func (e Existing) String() string {
	name := cmp.Or(e.Image.Name, "image "+idText(e.Image.ID))
	state := e.Job.Status.String()
	switch {
	case e.Busy():
		state = "a worker has it"
	case e.Fresh():
		state = "waits for a worker"
	case e.Job.Status == client.Indeterminate:
		state = "was left half done"
	}
	return fmt.Sprintf("%s: job %d, %s", text.Line(name), e.Job.ID, state)
}

// redone tells whether a later run of this box has redone the job of an analysis:
// what the server has of the job is that one's.
func (s *Session) redone(a Analysis) bool {
	if a.Run == nil || a.Run.Server.Kind != client.Exact || a.Run.Job == 0 {
		return false
	}
	runs, err := s.Env.Store.List()
	return err == nil && slices.ContainsFunc(runs, func(r runner.Run) bool {
		return r.Job == a.Run.Job && r.Server.URL == a.Run.Server.URL && r.Created.After(a.Run.Created)
	})
}

// kindName is a kind of server as it is written.
func kindName(k client.Kind) string {
	if k == client.Exact {
		return "EXACT"
	}
	return "Cytomine"
}

// What may be done about jobs that are there already.
const (
	SkipExisting = "skip" // leave their images out
	RedoExisting = "redo" // execute them again; what they wrote is deleted
)

// allJobs is more jobs than a server has.
const allJobs = 10_000_000

// Existing looks for the jobs that the images of requests have already. Other
// servers than EXACT keep as many as there are.
func (s *Session) Existing(ctx context.Context, requests []LaunchRequest) ([]Existing, error) {
	if !s.isExact() || len(requests) == 0 {
		return nil, nil
	}
	page, err := s.Server.Jobs(ctx, client.JobFilter{Project: s.Project.ID, Algorithms: []client.ID{requests[0].Algorithm.ID}, Max: allJobs})
	if err != nil {
		return nil, fmt.Errorf("cannot look for the jobs that the images have already: %w", err)
	}
	byImage := map[client.ID]client.Job{}
	for _, j := range page.Jobs {
		if _, newer := byImage[j.Image]; !newer {
			byImage[j.Image] = j
		}
	}
	var out []Existing
	for i, r := range requests {
		images := chosenImages(r.Values)
		if r.Take.ID != 0 || len(images) != 1 {
			continue
		}
		if j, ok := byImage[images[0].ID]; ok {
			out = append(out, Existing{Image: images[0], Job: j, at: i})
		}
	}
	return out, nil
}

// Settle leaves the images out that have a job already, or makes their requests
// execute that job, as how says.
func Settle(requests []LaunchRequest, existing []Existing, how string) ([]LaunchRequest, error) {
	var busy []string
	drop := map[int]bool{}
	out := slices.Clone(requests)
	for _, e := range existing {
		switch {
		case how == SkipExisting:
			drop[e.at] = true
		case e.Busy():
			busy = append(busy, e.String())
		default:
			out[e.at].Take = runner.TakeJob{ID: e.Job.ID, Restart: !e.Fresh()}
		}
	}
	if len(busy) > 0 {
		return nil, fmt.Errorf("cannot redo what is being done: %s; wait for the end or cancel it, or leave such images out with --existing skip",
			strings.Join(busy[:min(len(busy), 5)], "; "))
	}
	kept := out[:0]
	for i, r := range out {
		if !drop[i] {
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("nothing to launch: each image has a job of this algorithm already (%s); --existing redo runs them again", existing[0])
	}
	if len(drop) > 0 {
		for i := range kept {
			if p := kept[i].Part; p != nil {
				part := runner.Part{Parameter: p.Parameter, Index: i + 1, Of: len(kept)}
				kept[i].Part = &part
			}
		}
	}
	return kept, nil
}
