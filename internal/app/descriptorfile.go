package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/command"
)

// IsDescriptorFile tells whether the name of an algorithm is the path of a
// descriptor.
func IsDescriptorFile(name string) bool {
	if !strings.HasSuffix(name, ".json") {
		return false
	}
	st, err := os.Stat(name)
	return strings.ContainsRune(name, filepath.Separator) || err == nil && st.Mode().IsRegular()
}

// readDescriptor reads a descriptor file.
func readDescriptor(file string) (*descriptor.Descriptor, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cannot read the descriptor: %w", client.NotFound("no file %s", text.Line(file)))
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the descriptor: %w", err)
	}
	d, findings := descriptor.Parse(file, data)
	if d == nil {
		for _, f := range findings {
			if f.Severity == descriptor.Error {
				return nil, fmt.Errorf("%s; 'cytorun descriptor check %s' says more", text.Line(f.String()), text.Line(file))
			}
		}
		return nil, fmt.Errorf("%s is no descriptor; 'cytorun descriptor check %s' says more", text.Line(file), text.Line(file))
	}
	return d, nil
}

// Unregistered tells that a server has no record of a descriptor's algorithm,
// without which it takes no job.
type Unregistered struct {
	File, Name, Version string
	// Container is what would be registered with it; Missing says what stands in
	// the way, empty where nothing that is known here does.
	Container, Missing string
	Server, Project    string
	// Elsewhere is the algorithm as the server knows it outside the project.
	Elsewhere *client.Algorithm
}

// Error says what to do.
func (u *Unregistered) Error() string {
	s := fmt.Sprintf("%s is not registered on %s, which takes no job without", text.Line(client.Algorithm{Name: u.Name, Version: u.Version}.FullName()), u.Server)
	if u.Elsewhere != nil {
		s = fmt.Sprintf("%s is on %s but not in project %s", text.Line(u.Elsewhere.FullName()), u.Server, text.Line(u.Project))
	}
	if u.Missing != "" {
		s += ", and cannot be registered: " + u.Missing
	}
	return s + "; to try it without, run: cytorun demo --descriptor " + text.Line(u.File)
}

// Unwrap makes it an ErrNotFound.
func (u *Unregistered) Unwrap() error { return client.ErrNotFound }

// AlgorithmOfFile is the algorithm of a descriptor file as it is run: the words
// and parameters of the file, with the server's records of the same names. The
// notes say where the two differ; own is set then. *Unregistered tells that the
// server has no such algorithm.
func (s *Session) AlgorithmOfFile(ctx context.Context, file string) (a client.Algorithm, own *runner.Develop, notes []string, err error) {
	d, err := readDescriptor(file)
	if err != nil {
		return a, nil, nil, err
	}
	if d.Name == "" {
		return a, nil, nil, fmt.Errorf("%s has no name; give it one, by which the server knows the algorithm", text.Line(file))
	}
	all, err := s.Server.Algorithms(ctx, s.Project.ID)
	if err != nil {
		return a, nil, nil, err
	}
	found, ok := sameNamed(all, d)
	if !ok {
		return a, nil, nil, s.unregistered(ctx, file, d)
	}
	known, err := s.Server.Algorithm(ctx, found.ID)
	if err != nil {
		return a, nil, nil, err
	}
	a, notes = asInFile(known, d)
	if !sameCommand(known, a) {
		src, err := SourceFile(file)
		if err != nil {
			return a, nil, nil, err
		}
		own = &runner.Develop{Descriptor: &src}
		notes = append(notes, fmt.Sprintf("%s differs from what is registered; the file counts", filepath.Base(file)))
	}
	return a, own, notes, nil
}

// sameNamed finds the newest algorithm of a descriptor's name, and of its version
// where it has one.
func sameNamed(all []client.Algorithm, d *descriptor.Descriptor) (client.Algorithm, bool) {
	var found client.Algorithm
	for _, a := range all {
		if a.Name == d.Name && a.ID > found.ID && (d.Version == "" || strings.TrimPrefix(a.Version, "v") == strings.TrimPrefix(d.Version, "v")) {
			found = a
		}
	}
	return found, found.ID != 0
}

// asInFile is an algorithm of the server with the words and parameters of a file.
func asInFile(known client.Algorithm, d *descriptor.Descriptor) (client.Algorithm, []string) {
	a := known
	if d.CommandLine != "" {
		a.CommandLine = d.CommandLine
	}
	if d.Description != "" {
		a.Description = d.Description
	}
	if a.Container == "" {
		a.Container = d.Container.Image
	}
	ids := map[string]client.ID{}
	for _, p := range known.Parameters {
		ids[p.ID] = p.ServerID
	}
	a.Parameters = nil
	var unknown []string
	for i, p := range d.Parameters {
		a.Parameters = append(a.Parameters, client.Parameter{Parameter: p, ServerID: ids[p.ID], Index: i})
		if ids[p.ID] == 0 {
			unknown = append(unknown, p.ID)
		}
	}
	if len(unknown) == 0 {
		return a, nil
	}
	return a, []string{"not registered, so that the server keeps no value of them: " + strings.Join(unknown, ", ")}
}

// sameCommand tells whether two descriptions of an algorithm start the same.
func sameCommand(x, y client.Algorithm) bool {
	argv := func(a client.Algorithm) []string {
		chosen := map[string]string{}
		ps := make([]descriptor.Parameter, len(a.Parameters))
		for i, p := range a.Parameters {
			ps[i], chosen[p.ID] = p.Parameter, "<"+p.ID+">"
		}
		return command.Build(a.CommandLine, command.Inputs(ps, chosen, command.ServerValues{Host: "h", PublicKey: "k", PrivateKey: "s", ProjectID: "p", AlgorithmID: "a"})).Argv
	}
	return slices.Equal(argv(x), argv(y))
}

// unregistered finds out what can be done about an algorithm that the project
// does not have.
func (s *Session) unregistered(ctx context.Context, file string, d *descriptor.Descriptor) error {
	u := &Unregistered{File: file, Name: d.Name, Version: fileVersion(d), Container: d.Container.Image, Server: s.Profile.URL, Project: s.Project.Name}
	if _, can := s.Server.(client.Registrar); !can {
		u.Missing = "cytorun cannot register algorithms on a server of this kind"
		return u
	}
	if all, err := s.Server.Algorithms(ctx, 0); err == nil {
		if a, ok := sameNamed(all, d); ok {
			u.Elsewhere, u.Version, u.Container = &a, a.Version, a.Container
		}
	}
	if u.Container == "" {
		u.Missing = "it names no container; add container-image to " + file
	}
	return u
}

// fileVersion is the version that a descriptor is registered with.
func fileVersion(d *descriptor.Descriptor) string {
	if d.Version != "" {
		return d.Version
	}
	image := d.Container.Image[strings.LastIndexByte(d.Container.Image, '/')+1:]
	if _, tag, ok := strings.Cut(image, ":"); ok && !strings.Contains(tag, "@") {
		return tag
	}
	return "dev"
}

// Register makes the algorithm of a file known to the server and the project, or
// only to the project where the server has it.
func (s *Session) Register(ctx context.Context, u *Unregistered) error {
	registrar, ok := s.Server.(client.Registrar)
	if !ok || u.Missing != "" {
		return u
	}
	d, err := readDescriptor(u.File)
	if err != nil {
		return err
	}
	if u.Elsewhere != nil {
		// Only the link: the record is somebody's, and stays as it is.
		c := *d
		c.Parameters, c.Description = nil, ""
		d = &c
	}
	_, err = registrar.Register(ctx, client.NewAlgorithm{Descriptor: d, Version: u.Version, Container: u.Container, Project: s.Project.ID})
	if errors.Is(err, client.ErrForbidden) {
		u.Missing = "your account may not (" + text.Line(err.Error()) + "); ask an administrator of the server to register the file"
		return u
	}
	return err
}

// SourceFile is a file that a person brings along.
func SourceFile(path string) (runner.Source, error) {
	path, err := absolute(path)
	return runner.Source{Path: path}, err
}

// noContainer begins the reference of an algorithm that has no container: servers
// want one. No registry can be of this name (RFC 2606).
const noContainer = "none.invalid/"

// TryFile registers the algorithm of a descriptor file on a server of one's own
// and prepares its launch. Where neither the file nor container names one, a name
// that means none is registered: the process runtime needs no other.
func (s *Session) TryFile(ctx context.Context, file, container string) (r LaunchRequest, notes []string, err error) {
	r.Container = container
	for tried := false; ; tried = true {
		r.Algorithm, r.Develop, notes, err = s.AlgorithmOfFile(ctx, file)
		var u *Unregistered
		if tried || !errors.As(err, &u) {
			break
		}
		if u.Container == "" {
			u.Container, u.Missing = noContainer+localName(u.Name)+":"+u.Version, ""
		}
		if err = s.Register(ctx, u); err != nil {
			return r, nil, err
		}
	}
	return r, notes, err
}

// localName is a name that a reference to an image may have.
func localName(s string) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(s)), "-")
	if name == "" {
		return "algorithm"
	}
	return name
}

// TryValues are values with which an algorithm can be tried without a question:
// all options of each list that is required and has no default.
func TryValues(a client.Algorithm, set []client.Value) []client.Value {
	var out []client.Value
	for _, p := range UserParameters(a) {
		given := slices.ContainsFunc(set, func(v client.Value) bool { return strings.EqualFold(v.Parameter, p.ID) })
		if !given && !p.Optional && p.Default == nil && p.Type == descriptor.ListDomain {
			out = append(out, client.Value{Parameter: p.ID, Text: "all", Origin: client.FromDefault})
		}
	}
	return out
}

// Together puts what a person says on top of what comes with an algorithm.
func Together(own, with *runner.Develop) *runner.Develop {
	if own == nil || with == nil {
		if own == nil {
			return with
		}
		return own
	}
	c := *own
	c.Descriptor = with.Descriptor
	return &c
}
