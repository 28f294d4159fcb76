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
	r, err := servers.Login(ctx, p, keys, servers.Options{Version: e.Version, Debug: e.Debug})
	if err != nil {
		return r, err
	}
	if len(r.Certificate) > 0 && r.Profile.CA == "" {
		// Programs in containers are given this file too.
		if r.Profile.CA, err = profile.SaveCertificate(e.Paths, r.Profile.Name, r.Certificate); err != nil {
			return r, err
		}
	}
	return r, profile.Save(e.Paths, r.Profile, keys)
}
