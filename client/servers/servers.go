// Package servers opens a connection to a server of any kind. It is the one
// place that knows which kinds this build speaks.
package servers

import (
	"context"
	"fmt"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/cytomine"
	"github.com/cytorun/cytorun/client/profile"
)

// Options changes how a connection behaves. The zero value is usable.
type Options struct {
	// Version of this program, told to the server.
	Version string
	// Debug is told of every finished call; url holds no secrets, status is 0
	// when no answer came.
	Debug func(method, url string, status int, took time.Duration)
}

// Open gives the server of a profile. It sends nothing yet.
func Open(p profile.Profile, keys client.Keys, opts Options) (client.Server, error) {
	switch p.Kind {
	case client.Cytomine, "":
		return cytomine.New(p, keys, cytomine.Options{Version: opts.Version, Debug: opts.Debug})
	}
	return nil, unknown(p.Kind)
}

// LoginResult is what Login found out.
type LoginResult struct {
	Profile profile.Profile // complete, to be stored with profile.Save
	User    client.User
	Info    client.Info
	Notes   []string // lines that a person should see
	// Certificate (PEM) is the one that the person chose to trust by its
	// fingerprint, nil in every other case; see profile.SaveCertificate.
	Certificate []byte
}

// Login checks the server of p (its URL, CA and Trust) and the keys, and fills
// in the rest of the profile. A certificate that is not trusted is a
// *profile.CertificateError.
func Login(ctx context.Context, p profile.Profile, keys client.Keys, opts Options) (LoginResult, error) {
	switch p.Kind {
	case client.Cytomine, "":
		r, err := cytomine.Login(ctx, p, keys, cytomine.Options{Version: opts.Version, Debug: opts.Debug})
		return LoginResult(r), err
	}
	return LoginResult{}, unknown(p.Kind)
}

func unknown(kind client.Kind) error {
	return fmt.Errorf("this build of cytorun does not speak %q, only %q: %w; check the profile's kind", kind, client.Cytomine, client.ErrUnsupported)
}
