package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/runner/supervisor"
)

// Box runs jobs through a session, as a launch by hand does.
type Box struct {
	session *app.Session
	server  *exact.Client
	keeper  string // see runner.TakeJob

	mu         sync.Mutex
	algorithms map[client.ID]algorithm
	sets       map[client.ID]client.Project
	tended     time.Time
	orphan     bool // a run was seen that lives without a supervisor
}

// algorithm is an algorithm as it was read a while ago.
type algorithm struct {
	client.Algorithm
	at time.Time
}

// algorithmLife is how long an algorithm is not asked for again; descriptors of
// this box are read each time.
const algorithmLife = 5 * time.Minute

// NewBox makes the box of a session whose server is one of EXACT. folder is that of
// the worker.
func NewBox(s *app.Session, folder Folder) (*Box, error) {
	server, ok := s.Server.(*exact.Client)
	if !ok {
		return nil, fmt.Errorf("%s is a server of kind %s, and the worker serves EXACT only: there jobs arrive over a message broker (AMQP), which this program does not speak: %w",
			s.Profile.URL, s.Profile.Kind, client.ErrUnsupported)
	}
	return &Box{session: s, server: server, keeper: folder.lock(), algorithms: map[client.ID]algorithm{}, sets: map[client.ID]client.Project{}, tended: time.Now()}, nil
}

// Server is the server of the box.
func (b *Box) Server() *exact.Client { return b.server }

// launch is what Ready found out.
type launch struct {
	session *app.Session
	request app.LaunchRequest
}

// Ready finds out how a job would run here.
func (b *Box) Ready(ctx context.Context, j exact.PluginJob, allow Allow) (Ready, error) {
	a, err := b.algorithm(ctx, j.Plugin)
	switch {
	case errors.Is(err, client.ErrNotFound):
		return Ready{}, &NotHere{fmt.Sprintf("plugin %d is not there", j.Plugin)}
	case err != nil:
		return Ready{}, err
	case a.Package == "" || len(allow[a.Package]) == 0:
		return Ready{}, &NotHere{fmt.Sprintf("%s (%s) is not on the allow-list", text.Line(a.Name), text.Line(a.Package))}
	}
	a, why := b.session.Bound(a)
	if why != "" {
		return Ready{}, &NotHere{text.Line(why)}
	}
	container, runtime, why := b.container(ctx, a, allow)
	if why != "" {
		return Ready{}, &NotHere{why}
	}
	image, err := b.server.Image(ctx, j.Image)
	switch {
	case errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrForbidden):
		return Ready{}, &NotHere{"the worker's account may not see the image"}
	case err != nil:
		return Ready{}, err
	case image.Type == exact.GeneratedImage:
		return Ready{}, &NotHere{"its image was made by the server"}
	}
	set, err := b.set(ctx, image.ImageSet)
	if err != nil {
		return Ready{}, err
	}
	r := app.TakeRequest(a, j.ID, runner.ImageRef{ID: image.ID, Name: image.Name})
	r.Container, r.Runtime, r.Take.Keeper = container, runtime, b.keeper
	s := b.session.In(set)
	if err := s.Check(ctx, r); err != nil {
		return Ready{}, &NotHere{text.Line(strings.Join(strings.Fields(err.Error()), " "))}
	}
	return Ready{Algorithm: a.Name, Image: image.Name, Launch: launch{s, r}}, nil
}

// algorithm reads an algorithm, seldom, with what the descriptors of this box say
// of it now.
func (b *Box) algorithm(ctx context.Context, id client.ID) (client.Algorithm, error) {
	b.mu.Lock()
	known, ok := b.algorithms[id]
	b.mu.Unlock()
	if ok && time.Since(known.at) < algorithmLife {
		return known.Algorithm, nil
	}
	a, err := b.session.Algorithm(ctx, strconv.FormatInt(int64(id), 10))
	if err != nil {
		return a, err
	}
	b.mu.Lock()
	b.algorithms[id] = algorithm{a, time.Now()}
	b.mu.Unlock()
	return a, nil
}

func (b *Box) set(ctx context.Context, id client.ID) (client.Project, error) {
	b.mu.Lock()
	p, ok := b.sets[id]
	b.mu.Unlock()
	if ok {
		return p, nil
	}
	p, err := b.server.Project(ctx, id)
	if err == nil {
		b.mu.Lock()
		b.sets[id] = p
		b.mu.Unlock()
	}
	return p, err
}

// container is exactly what an algorithm may run in. An image of a registry is
// named by an allowed digest, so that nobody can put another behind its tag;
// a file is read as a whole.
func (b *Box) container(ctx context.Context, a client.Algorithm, allow Allow) (reference string, runtime runner.Runtime, why string) {
	allowed := allow[a.Package]
	reference = app.ContainerReference(a)
	switch {
	case slices.Contains(allowed, WithoutContainer):
		return "", runner.Process, "" // programs of the demo; the launch refuses others
	case reference == "":
		return "", "", fmt.Sprintf("the descriptor of %s names no container", text.Line(a.Package))
	case apptainer.IsFolder(reference):
		return "", "", fmt.Sprintf("container %s of %s is a folder, which may change at any time", text.Line(reference), text.Line(a.Package))
	case apptainer.IsFile(reference):
		digest, err := apptainer.FileDigest(b.session.Env.Paths.Containers, reference)
		if err != nil {
			return "", "", text.Line(err.Error())
		}
		if !allow.Permits(a.Package, digest) {
			return "", "", fmt.Sprintf("container %s of %s is %s, which is not on the allow-list", text.Line(reference), text.Line(a.Package), digest)
		}
		return reference, runner.Apptainer, ""
	}
	digest := allowed[len(allowed)-1]
	if meant := apptainer.Meant(b.session.Env.Paths.Containers, reference); slices.Contains(allowed, meant) {
		digest = meant
	}
	if _, pinned, ok := strings.Cut(reference, "@"); ok {
		if !slices.Contains(allowed, pinned) {
			return "", "", fmt.Sprintf("container %s of %s is not on the allow-list", text.Line(reference), text.Line(a.Package))
		}
		digest = pinned
	}
	exactly, ok := apptainer.Exact(reference, digest)
	if !ok {
		return "", "", fmt.Sprintf("container %s of %s cannot be named by a digest", text.Line(reference), text.Line(a.Package))
	}
	if _, _, here := apptainer.Cached(b.session.Env.Paths.Containers, exactly); !here {
		if _, err := apptainer.Need(ctx, b.session.Env.Paths.Containers, exactly); err != nil {
			return "", "", text.Line(err.Error())
		}
	}
	return exactly, runner.Apptainer, ""
}

// Start launches the run of a claimed job.
func (b *Box) Start(ctx context.Context, id string, _ exact.PluginJob, r Ready) error {
	l := r.Launch.(launch)
	l.request.ID = id
	_, err := l.session.Launch(ctx, l.request)
	return err
}

// Over tells whether a run has ended and nobody reports any more. One that was
// deleted is over.
func (b *Box) Over(id string) (over bool, end runner.State, err error) {
	run, err := b.session.Env.Store.Get(id)
	if errors.Is(err, client.ErrNotFound) {
		return true, "", nil
	}
	alone := err == nil && !runner.Supervised(run.Folder)
	if alone && !run.State.Ended() {
		b.mu.Lock()
		b.orphan = true
		b.mu.Unlock()
	}
	return alone && run.State.Ended(), run.State, err
}

// How often all runs of this box are looked after, and how soon when one needs it.
const (
	tendEvery = time.Minute
	tendSoon  = 5 * time.Second
)

// Tend gives runs a supervisor that lost theirs: every other command does so when
// it starts, and a worker starts seldom.
func (b *Box) Tend() {
	b.mu.Lock()
	since := time.Since(b.tended)
	due := since >= tendEvery || b.orphan && since >= tendSoon
	if due {
		b.tended, b.orphan = time.Now(), false
	}
	b.mu.Unlock()
	if due {
		// What cannot be recovered now is tried again.
		_, _ = supervisor.Recover(b.session.Env.Store, b.session.Env.Executable)
	}
}

// Exists tells whether there is a run with this id.
func (b *Box) Exists(id string) bool {
	_, err := b.session.Env.Store.Get(id)
	return !errors.Is(err, client.ErrNotFound)
}

// Revive lets a run go on that an earlier worker began: also one that waited when
// the box went down, for which a launch by hand asks the person.
func (b *Box) Revive(id string) error {
	run, err := b.session.Env.Store.Get(id)
	if err != nil || run.State.Ended() || run.ForeignHost {
		return err
	}
	if run.Boot != runner.BootID() && (run.State == runner.Queued || run.State == runner.Preparing) {
		return supervisor.Resume(run, b.session.Env.Executable, b.session.Env.User)
	}
	return nil
}

// Holds tells whether a run of this box that is not over has the job, whoever
// launched it.
func (b *Box) Holds(job client.ID) (bool, error) {
	runs, err := b.session.Env.Store.List()
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(runs, func(r runner.Run) bool {
		return (r.Job == job || r.Take.ID == job) && r.Server.URL == b.session.Profile.URL && (!r.State.Ended() || runner.Supervised(r.Folder))
	}), nil
}
