package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/servers"
	"github.com/cytorun/cytorun/runner"
)

// link is the way to the server of a run.
type link struct {
	server  client.Server
	profile profile.Profile
}

// errNoKeys tells that this process has no keys for the server and cannot get
// any: only a person can help.
var errNoKeys = errors.New("no keys for the server")

// server gives the connection, made at the first need. Any goroutine may ask.
func (s *supervisor) server() (client.Server, error) {
	s.linkMu.Lock()
	defer s.linkMu.Unlock()
	if s.link.server != nil {
		return s.link.server, nil
	}
	ref := s.run().Server
	p, keys, err := settings(ref, s.ours)
	if err != nil {
		return nil, err
	}
	server, err := servers.Open(p, keys, servers.Options{Version: s.run().Cytorun})
	if err != nil {
		return nil, fmt.Errorf("cannot talk to %s: %w", ref.URL, err)
	}
	s.link, s.ours = link{server, p}, keys
	return server, nil
}

// settings finds the profile and the keys for the server of a run. Keys are
// only taken from a profile that still means the same server.
func settings(ref runner.ServerRef, given client.Keys) (profile.Profile, client.Keys, error) {
	bare := profile.Profile{Kind: ref.Kind, URL: ref.URL}
	paths, err := profile.DefaultPaths()
	if err != nil {
		return bare, given, err
	}
	config, err := profile.Load(paths)
	if err != nil {
		return bare, given, err
	}
	p, ok := config.Profiles[ref.Profile]
	if !ok || ref.Profile == "" || p.URL != ref.URL {
		if p = bare; given == (client.Keys{}) {
			return p, given, fmt.Errorf("%w %s in this process; run 'cytorun login %s', then 'cytorun recover'", errNoKeys, ref.URL, ref.URL)
		}
		return p, given, nil
	}
	if given != (client.Keys{}) {
		return p, given, nil
	}
	keys, ok, err := profile.LoadKeys(paths, ref.Profile)
	if err != nil {
		return p, given, err
	}
	if !ok {
		return p, given, fmt.Errorf("%w %s in profile %s; run 'cytorun login %s', then 'cytorun recover'", errNoKeys, ref.URL, ref.Profile, ref.URL)
	}
	return p, keys, nil
}

// backoff is the pause before trying a server again.
type backoff struct{ last time.Duration }

func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, time.Second), time.Minute)
	return b.last
}

// untilServer calls f until the server answers, whatever it answers. Meanwhile
// the run's reason says why it waits. Cancelling ends it.
func (s *supervisor) untilServer(f func(context.Context, client.Server) error) error {
	var pause backoff
	for {
		err := s.withServer(s.ctx, f)
		switch {
		case err == nil:
			return nil
		case s.ctx.Err() != nil:
			return errCancelled
		case !client.Transient(err) && !errors.Is(err, context.DeadlineExceeded):
			return err
		}
		s.waiting("waiting for the server: " + err.Error())
		if err := s.pause(s.ctx, pause.next()); err != nil {
			return err
		}
	}
}

func (s *supervisor) withServer(ctx context.Context, f func(context.Context, client.Server) error) error {
	server, err := s.server()
	if err != nil {
		return err
	}
	return f(ctx, server)
}

// pause sleeps, or returns why ctx ended first.
func (s *supervisor) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
