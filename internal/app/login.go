package app

import (
	"context"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/servers"
)

// Login checks a server and the keys for it, keeps both as a profile, and makes
// that profile the one that is used. A certificate that is not trusted is a
// *profile.CertificateError: the caller may ask the person, set p.Trust to its
// fingerprint, and try again.
func (e *Env) Login(ctx context.Context, p profile.Profile, keys client.Keys) (servers.LoginResult, error) {
	r, err := servers.Login(ctx, p, keys, e.serverOptions())
	if err != nil {
		return r, err
	}
	if len(r.Certificate) > 0 && r.Profile.CA == "" {
		// Programs in containers are given this file too.
		if r.Profile.CA, err = profile.SaveCertificate(e.Paths, r.Profile.Name, r.Certificate); err != nil {
			return r, err
		}
	}
	if err := profile.Save(e.Paths, r.Profile, r.Keys); err != nil {
		if r.Keys != keys { // minted for this login, and nobody would ever use it
			_ = servers.Logout(ctx, r.Profile, r.Keys, e.serverOptions())
		}
		return r, err
	}
	return r, nil
}

// Detect finds out of which kind the server of p is (its URL, CA and Trust), and
// with that what Login needs.
func (e *Env) Detect(ctx context.Context, p profile.Profile) (client.Kind, error) {
	return servers.Detect(ctx, p, e.serverOptions())
}

// Logout forgets a profile with its keys, and revokes the token that the login
// minted, where it did. kept says why a token may still be good at the server: it
// is no error that keeps the profile.
func (e *Env) Logout(ctx context.Context, name string) (kept, err error) {
	config, err := profile.Load(e.Paths)
	if err != nil {
		return nil, err
	}
	p, known := config.Profiles[name]
	keys, ok, err := profile.LoadKeys(e.Paths, name)
	if err != nil {
		return nil, err
	}
	if err := profile.Remove(e.Paths, name); err != nil {
		return nil, err
	}
	if known && ok {
		kept = servers.Logout(ctx, p, keys, e.serverOptions())
	}
	return kept, nil
}

func (e *Env) serverOptions() servers.Options {
	return servers.Options{Version: e.Version, Debug: e.Debug}
}
