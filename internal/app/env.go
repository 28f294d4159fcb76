// Package app holds the use-cases of cytorun: what a person can do, once, for
// the screens and the commands alike. Both are thin callers of this package.
//
// Nothing here keeps state that is not in a run folder, in a file of the
// person's own, or on the server: a second program started beside the first
// shows the same.
package app

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

// Env is what a use-case needs of its surroundings.
type Env struct {
	Paths      profile.Paths
	Store      *runner.Store
	Executable string // this program, for the processes it starts
	Version    string // of this program
	Host       string
	User       string // on this box
	Now        func() time.Time
	// Debug is told of every finished request, see servers.Options. May be nil.
	Debug func(method, url string, status int, took time.Duration)
}

// NewEnv reads the surroundings. It makes no request and is quick.
func NewEnv(version string) (*Env, error) {
	paths, err := profile.DefaultPaths()
	if err != nil {
		return nil, err
	}
	store, err := runner.OpenStore(paths.Runs)
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program's own file, which it needs to start runs: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("cannot read this box's name: %w", err)
	}
	return &Env{Paths: paths, Store: store, Executable: exe, Version: version, Host: host, User: userName(), Now: time.Now}, nil
}

func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	if n := os.Getenv("USER"); n != "" {
		return n
	}
	return strconv.Itoa(os.Getuid())
}
