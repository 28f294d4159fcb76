package demo

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/servers"
)

// ProfileName is the profile under which the demo's server is stored.
const ProfileName = "demo"

// Site is the demo's server, up and filled.
type Site struct {
	Profile profile.Profile // with the demo's project
	Keys    client.Keys
	Started bool // by this call; otherwise it ran already
}

// DataFolder is where the demo's server keeps its data.
func DataFolder(p profile.Paths) string { return filepath.Join(p.Data, "demo") }

// LogFile is where the demo's server writes what goes wrong.
func LogFile(p profile.Paths) string { return filepath.Join(p.State, "demo-server.log") }

// Ensure makes sure that the demo's server runs, detached from this process,
// and stores its profile. exe is the program to serve with; its container holds
// the same program. A server of another build is replaced, unless analyses are
// under way. say gets lines for people about what takes a moment or what they
// should know.
//
// The server keeps its port from one start to the next. Two processes that call
// Ensure at once start one server.
func Ensure(ctx context.Context, p profile.Paths, exe string, say func(string)) (Site, error) {
	if err := nameFree(p); err != nil {
		return Site{}, err
	}
	if err := p.Make(); err != nil {
		return Site{}, err
	}
	dir := DataFolder(p)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Site{}, fmt.Errorf("cannot make the demo's folder: %w", err)
	}
	lock := flock.New(filepath.Join(dir, "start.lock"), flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return Site{}, fmt.Errorf("another 'cytorun demo' is starting the demo's server and does not get done: %w", err)
	}
	defer lock.Unlock()

	c, err := readConnection(dir)
	if err != nil {
		return Site{}, err
	}
	up := c.answers()
	if up {
		if up, err = c.keep(ctx, exe, say); err != nil {
			return Site{}, err
		}
	}
	if !up {
		if c, err = begin(ctx, p, exe, c.URL, say); err != nil {
			return Site{}, err
		}
	}
	site := Site{Profile: c.profile(), Keys: c.keys(), Started: !up}
	return site, site.store(p)
}

// keep tells whether a running server shall stay. One of another build is ended
// where nothing is lost by it.
func (c connection) keep(ctx context.Context, exe string, say func(string)) (bool, error) {
	now, err := build(exe)
	if err != nil || now == c.Build {
		return true, err
	}
	busy, err := c.busy(ctx)
	if err != nil {
		return false, err
	}
	if busy {
		say("analyses are under way: the demo's server stays the one of the build that started it")
		return true, nil
	}
	say("starting the demo's server again: this is another build of cytorun")
	return false, c.stop(ctx)
}

// liveFor is how long a job counts as under way after its last change: a job
// whose program was killed may never end on the server.
const liveFor = time.Hour

func (c connection) busy(ctx context.Context) (bool, error) {
	server, err := servers.Open(c.profile(), c.keys(), servers.Options{})
	if err != nil {
		return false, err
	}
	page, err := server.Jobs(ctx, client.JobFilter{
		Project: c.Project, Statuses: []client.Status{client.InQueue, client.Running, client.Waiting},
	})
	if err != nil {
		return false, fmt.Errorf("cannot ask the demo's server for its jobs: %w", err)
	}
	for _, j := range page.Jobs {
		last := j.Created
		if j.Updated.After(last) {
			last = j.Updated
		}
		if time.Since(last) < liveFor {
			return true, nil
		}
	}
	return false, nil
}

func (c connection) profile() profile.Profile {
	return profile.Profile{Name: ProfileName, Kind: client.Cytomine, URL: c.URL, Project: c.Project}
}

func (c connection) keys() client.Keys {
	return client.Keys{Public: c.Public, Private: c.Private}
}

// nameFree makes sure that the demo does not take the place of a person's own
// profile.
func nameFree(p profile.Paths) error {
	config, err := profile.Load(p)
	if err != nil {
		return err
	}
	if old, known := config.Profiles[ProfileName]; known && !onLoopback(old.URL) {
		return fmt.Errorf("the profile %q is the one of %s; rename it in config.toml, the demo needs this name", ProfileName, old.URL)
	}
	return nil
}

// store writes the profile where it is not yet as it should be.
func (s *Site) store(p profile.Paths) error {
	config, err := profile.Load(p)
	if err != nil {
		return err
	}
	old, known := config.Profiles[ProfileName]
	keys, _, err := profile.LoadKeys(p, ProfileName)
	if err != nil {
		return err
	}
	if known && old.URL == s.Profile.URL && keys == s.Keys {
		s.Profile = old // with the project and user that were used last
		return nil
	}
	return profile.Save(p, s.Profile, s.Keys)
}

func onLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}

// begin starts a server at the address of the last one, or at another where
// somebody else has got that.
func begin(ctx context.Context, p profile.Paths, exe, last string, say func(string)) (connection, error) {
	address := "127.0.0.1:0"
	if u, err := url.Parse(last); err == nil && u.Host != "" {
		if free(u.Host) {
			address = u.Host
		} else {
			say("another program has got the address of the demo's server, " + u.Host + ": it moves to a new one")
		}
	}
	say("starting the demo's server")
	return spawn(ctx, p, exe, address)
}

// free tells whether an address can be listened on.
func free(address string) bool {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	return ln.Close() == nil
}

// lastLine is the last line of text that says something.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
