package app

import (
	"strconv"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/runner"
)

// In is the session in another project, for a launch that nobody chose it for:
// unlike WithProject it is not remembered.
func (s *Session) In(p client.Project) *Session {
	c := *s
	c.Project, c.opts = p, newOptionCache()
	return &c
}

// Bound is an algorithm of EXACT with what the descriptors of this box say of it
// now, or why it cannot run here.
func (s *Session) Bound(a client.Algorithm) (bound client.Algorithm, why string) {
	why = s.bind(&a, s.Env.descriptors())
	return a, why
}

// TakeRequest is the launch by which a job of EXACT that waits for any worker is
// executed: over its image, with the defaults of all parameters, because a job
// there has none.
func TakeRequest(a client.Algorithm, job client.ID, image runner.ImageRef) LaunchRequest {
	form := forms.New(UserParameters(a), nil)
	form.Set(descriptor.ImagesParameter, strconv.FormatInt(int64(image.ID), 10), client.FromJob, image.Name)
	return LaunchRequest{Algorithm: a, Values: form.Values(), Take: runner.TakeJob{ID: job}}
}
