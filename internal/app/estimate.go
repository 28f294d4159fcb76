package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// imagesParameter is the parameter that names the images to work on, if there is
// one: a list of them before a single one.
func imagesParameter(a client.Algorithm) (descriptor.Parameter, bool) {
	var found descriptor.Parameter
	for _, p := range UserParameters(a) {
		uri, _, _ := strings.Cut(strings.ToLower(p.URI), "?")
		if p.Type != descriptor.Image && !strings.HasSuffix(uri, "/imageinstance.json") && !strings.HasSuffix(uri, "/imagegroup.json") && uri != exactImages {
			continue
		}
		if found.ID == "" || p.Type == descriptor.ListDomain && found.Type != descriptor.ListDomain {
			found = p
		}
	}
	return found, found.ID != ""
}

// ImagesParameter is the parameter by which people choose the images of an
// algorithm, if it has one.
func ImagesParameter(a client.Algorithm) (descriptor.Parameter, bool) { return imagesParameter(a) }

// imagesOf is how many images values choose; an algorithm that names none takes
// all of its project.
func imagesOf(a client.Algorithm, values []client.Value, all int) int {
	p, ok := imagesParameter(a)
	if !ok {
		return max(all, 1)
	}
	_, ids, _ := chosen(values, p.ID)
	if len(ids) == 0 || len(ids) == 1 && ids[0] == "all" {
		return max(all, 1)
	}
	return len(ids)
}

// Estimate is what earlier analyses on this box say of launches.
type Estimate struct {
	Runs   int
	Images int // over all runs
	// Time is the computing time of all runs together, Annotations what they would
	// write; 0 and -1 where nothing is known. One after the other and side by side
	// take the same computing time.
	Time        time.Duration
	Annotations int
	Basis       int // earlier analyses that it is taken from
}

// basis is how many earlier analyses an estimate looks at.
const basis = 20

// Estimate says what launches of one algorithm would cost, by the medians for one
// image of earlier analyses of it that succeeded here.
func (s *Session) Estimate(requests []LaunchRequest) (Estimate, error) {
	e := Estimate{Runs: len(requests), Annotations: -1}
	if len(requests) == 0 {
		return e, nil
	}
	a := requests[0].Algorithm
	for _, r := range requests {
		e.Images += imagesOf(a, r.Values, s.Project.Images)
	}
	runs, err := s.runs()
	if err != nil {
		return e, err
	}
	var times, drawn []float64
	for _, light := range runs {
		if light.Algorithm.Name != a.Name || light.State != runner.Succeeded || light.Develop.ByHand() {
			continue
		}
		run, err := runner.ReadFolder(light.Folder)
		if err != nil {
			continue
		}
		images := float64(imagesOf(algorithmOf(run.Algorithm), run.Values, s.Project.Images))
		times = append(times, run.Duration(s.Env.Now()).Seconds()/images)
		if run.Result != nil && run.Result.Annotations >= 0 {
			drawn = append(drawn, float64(run.Result.Annotations)/images)
		}
		if len(times) == basis {
			break
		}
	}
	e.Basis = len(times)
	if len(times) > 0 {
		e.Time = time.Duration(median(times) * float64(e.Images) * float64(time.Second))
	}
	if len(drawn) > 0 {
		e.Annotations = int(median(drawn)*float64(e.Images) + 0.5)
	}
	return e, nil
}

func median(numbers []float64) float64 {
	slices.Sort(numbers)
	return numbers[len(numbers)/2]
}

// String says it in words: "8 runs of 80 images in all; about 12m00s of
// computing and 4,000 annotations, going by the last 5".
func (e Estimate) String() string {
	s := text.Plural(e.Runs, "run")
	if e.Images > 0 {
		s += " of " + text.Plural(e.Images, "image") + " in all"
	}
	var about []string
	if e.Time > 0 {
		about = append(about, text.Duration(e.Time)+" of computing")
	}
	if e.Annotations >= 0 {
		about = append(about, text.Plural(e.Annotations, "annotation"))
	}
	if len(about) == 0 {
		return s + "; none has succeeded here yet, so how long they take is unknown"
	}
	return s + "; about " + strings.Join(about, " and ") + fmt.Sprintf(", going by the last %d", e.Basis)
}

// Trial gives launches on a few images only: the first of those chosen.
func Trial(requests []LaunchRequest, images int) ([]LaunchRequest, error) {
	if len(requests) == 0 {
		return nil, nil
	}
	p, ok := imagesParameter(requests[0].Algorithm)
	if !ok || p.Type != descriptor.ListDomain {
		return nil, forms.Problems{{Message: fmt.Sprintf("a trial takes a few of the images, but %s has no parameter with a list of them", requests[0].Algorithm.FullName())}}
	}
	out := make([]LaunchRequest, len(requests))
	for i, r := range requests {
		at, ids, labels := chosen(r.Values, p.ID)
		if len(ids) == 0 {
			return nil, forms.Problems{{Parameter: p.ID, Message: "has no value to take a few of; choose some, or all with -p " + p.ID + "=all"}}
		}
		n := min(images, len(ids))
		r.Values = slices.Clone(r.Values)
		r.Values[at].Text = strings.Join(ids[:n], ",")
		if labels != nil {
			r.Values[at].Labels = labels[:n]
		}
		r.Note = strings.TrimSpace("trial " + r.Note)
		out[i] = r
	}
	return out, nil
}

// Whole is all that a project holds, for an algorithm that takes all of it.
type Whole struct {
	Images int
	Pixels int64 // of all images whose size is known
	Sized  int   // how many these are
}

// bytesPerPixel is that of the pictures that programs work on, unpacked.
const bytesPerPixel = 3

// String says how much that is.
func (w Whole) String() string {
	s := text.Plural(w.Images, "image")
	if w.Pixels > 0 {
		s += fmt.Sprintf(", %s unpacked", text.Bytes(w.Pixels*bytesPerPixel))
		if w.Sized < w.Images {
			s += fmt.Sprintf(" without %d of unknown size", w.Images-w.Sized)
		}
	}
	return s
}

// TakesWholeProject tells whether an algorithm works on every image of the
// project, because no parameter of it names images.
func TakesWholeProject(a client.Algorithm) bool {
	for _, p := range UserParameters(a) {
		if p.Type == descriptor.Image || strings.Contains(strings.ToLower(p.URI), "image") {
			return false
		}
	}
	return true
}

// sizesWithin bounds the wait for sizes of images: their number is known anyway.
const sizesWithin = 10 * time.Second

// WholeProject says how much an algorithm without a parameter for images would
// take. That the sizes of the images cannot be read is no error.
func (s *Session) WholeProject(ctx context.Context) Whole {
	w := Whole{Images: s.Project.Images}
	lister, ok := s.Server.(client.ImageLister)
	if !ok {
		return w
	}
	ctx, stop := context.WithTimeout(ctx, sizesWithin)
	defer stop()
	var found Whole
	err := lister.Images(ctx, s.Project.ID, func(i client.Image) error {
		found.Images++
		if i.Width > 0 && i.Height > 0 {
			found.Sized++
			found.Pixels += int64(i.Width) * int64(i.Height)
		}
		return nil
	})
	if err != nil {
		return w
	}
	return found
}

// checkImages says how many images a launch works on. All of a project, where
// nobody chose them, is something to look at.
func (s *Session) checkImages(ctx context.Context, r LaunchRequest) Check {
	c := Check{Name: "images", OK: true}
	if TakesWholeProject(r.Algorithm) {
		c.Warn = true
		c.Text = fmt.Sprintf("takes the whole project, %s: no parameter names images", s.WholeProject(ctx))
		return c
	}
	p, ok := imagesParameter(r.Algorithm)
	_, ids, _ := chosen(r.Values, p.ID)
	switch {
	case !ok:
		c.Text = "named by " + r.Algorithm.Name + " in its own way"
	case len(ids) == 0:
		c.Text = "none chosen"
	default:
		c.Text = text.Plural(len(ids), "image") + " chosen"
	}
	return c
}
