// Package servers opens a connection to a server of any kind. It is the one
// place that knows which kinds this build speaks.
package servers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/cytomine"
	"github.com/cytorun/cytorun/client/exact"
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
	case client.Exact:
		return exact.New(p, keys, exact.Options{Version: opts.Version, Debug: opts.Debug})
	}
	return nil, unknown(p.Kind)
}

// Detect finds out the kind of the server of p (its URL, CA and Trust): what is not
// EXACT is taken for Cytomine, and Login says if it is not. A certificate that is
// not trusted is a *profile.CertificateError.
func Detect(ctx context.Context, p profile.Profile, opts Options) (client.Kind, error) {
	_, _, err := exact.Find(ctx, p, exact.Options{Version: opts.Version, Debug: opts.Debug})
	var answer *client.HTTPError
	var moved *client.MovedError
	if errors.Is(err, client.ErrUnsupported) || errors.As(err, &answer) || errors.As(err, &moved) {
		return client.Cytomine, nil
	}
	return client.Exact, err
}

// LoginResult is what Login found out.
type LoginResult struct {
	Profile profile.Profile // complete, to be stored with profile.Save
	// Keys are to be stored; EXACT mints a token for a password.
	Keys  client.Keys
	User  client.User
	Info  client.Info
	Notes []string // lines that a person should see
	// Certificate (PEM) is the one that the person chose to trust by its
	// fingerprint, nil in every other case; see profile.SaveCertificate.
	Certificate []byte
}

// Login checks the server of p (its URL, CA and Trust) and the keys, and fills in
// the rest of the profile. For EXACT the keys are a user name and a password or
// token, see exact.Login. A certificate that is not trusted is a
// *profile.CertificateError.
func Login(ctx context.Context, p profile.Profile, keys client.Keys, opts Options) (LoginResult, error) {
	switch p.Kind {
	case client.Cytomine, "":
		r, err := cytomine.Login(ctx, p, keys, cytomine.Options{Version: opts.Version, Debug: opts.Debug})
		return LoginResult{Profile: r.Profile, Keys: keys, User: r.User, Info: r.Info, Notes: r.Notes, Certificate: r.Certificate}, err
	case client.Exact:
		r, err := exact.Login(ctx, p, keys, exact.Options{Version: opts.Version, Debug: opts.Debug})
		return LoginResult(r), err
	}
	return LoginResult{}, unknown(p.Kind)
}

// Logout makes the keys of a profile worthless where they were minted at login, as
// on EXACT; elsewhere it does nothing.
func Logout(ctx context.Context, p profile.Profile, keys client.Keys, opts Options) error {
	if p.Kind != client.Exact {
		return nil
	}
	c, err := exact.New(p, keys, exact.Options{Version: opts.Version, Debug: opts.Debug})
	if err != nil {
		return err
	}
	return c.Logout(ctx)
}

func unknown(kind client.Kind) error {
	return fmt.Errorf("this build of cytorun does not speak %q, only %q and %q: %w; check the profile's kind", kind, client.Cytomine, client.Exact, client.ErrUnsupported)
}
