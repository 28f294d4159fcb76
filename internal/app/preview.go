package app

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/runner/command"
	"github.com/cytorun/cytorun/runner/report"
)

// Preview is the command that a launch would run inside the container.
type Preview struct {
	command.Result
}

// hidden stands for a value that is not shown.
const hidden = "••••"

// Preview builds the program's arguments for the values as they are now. It is
// pure and cheap, for every key that is typed. The keys of the job, which only
// the launch gets, stand in it as secrets.
func (s *Session) Preview(r LaunchRequest) Preview {
	chosen := make(map[string]string, len(r.Values))
	for _, v := range r.Values {
		chosen[v.Parameter] = v.Text
	}
	parameters := make([]descriptor.Parameter, len(r.Algorithm.Parameters))
	for i, p := range r.Algorithm.Parameters {
		parameters[i] = p.Parameter
	}
	p := Preview{command.Build(r.Algorithm.CommandLine, command.Inputs(parameters, chosen, command.ServerValues{
		Host:        s.Profile.URL,
		PublicKey:   hidden,
		PrivateKey:  hidden,
		ProjectID:   idText(s.Project.ID),
		AlgorithmID: idText(r.Algorithm.ID),
		Exact:       s.exactPreview(r),
	}))}
	if d := s.withProgram(r).Develop; d != nil && len(d.Program) > 0 && d.Words <= len(p.Argv) {
		p.Argv = append(slices.Clone(d.Program), p.Argv[d.Words:]...)
		p.Secret = append(make([]bool, len(d.Program)), p.Secret[d.Words:]...)
	}
	if s.isExact() {
		// Images become runs, a token is told through the environment, and what a
		// Cytomine server would do is of no interest.
		p.Unreached = slices.DeleteFunc(p.Unreached, func(id string) bool {
			return id == descriptor.ImagesParameter || (descriptor.Parameter{ID: id}).ExactInput() == "exact_token"
		})
		p.Notes = slices.DeleteFunc(p.Notes, func(n string) bool { return strings.Contains(n, "a Cytomine server") })
	}
	return p
}

// exactPreview stands for what a run over an image will be given.
func (s *Session) exactPreview(r LaunchRequest) map[string]string {
	if !s.isExact() {
		return nil
	}
	image := runner.ImageRef{Name: "IMAGE"}
	if all := chosenImages(r.Values); len(all) > 0 {
		image = all[0]
	}
	home := apptainer.HomeInside
	if s.runtime(r) == runner.Process {
		home = "HOME"
	}
	return map[string]string{
		"exact_host": s.Profile.URL, "exact_token": hidden, "exact_image_id": idText(image.ID), "exact_job_id": "JOB",
		"exact_imageset_id": idText(s.Project.ID), "exact_image": home + "/image/" + cmp.Or(image.Name, "IMAGE"), "exact_output": home + "/output",
	}
}

// String is the command as one would type it in a shell, without its secrets.
func (p Preview) String() string { return strings.Join(p.Words(), " ") }

// Words are the words of String, one for each of Argv, safe to show.
func (p Preview) Words() []string {
	words := make([]string, len(p.Argv))
	for i, a := range p.Argv {
		if i < len(p.Secret) && p.Secret[i] {
			words[i] = hidden
			continue
		}
		words[i] = shellescape.Quote(text.Line(a))
	}
	return words
}

func idText(id client.ID) string { return strconv.FormatInt(int64(id), 10) }

// Requests are those that a launch would send to the server, without secrets.
// They are nil where the server cannot tell.
func (s *Session) Requests(r LaunchRequest) ([]client.Request, error) {
	explainer, ok := s.Server.(client.LaunchExplainer)
	if !ok {
		return nil, nil
	}
	spec := s.spec(r)
	spec.ID = "RUN" // it gets its id when it is made
	return explainer.LaunchRequests(report.NewJob(spec))
}
