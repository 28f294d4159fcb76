package exact

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/web"
)

// LoginResult is what Login found out.
type LoginResult struct {
	// Profile is ready to be stored: where the site really answers and who the
	// credentials belong to.
	Profile profile.Profile
	// Keys are to be stored instead of what the person gave.
	Keys client.Keys
	User client.User
	Info client.Info
	// Notes are lines that a person should see.
	Notes []string
	// Certificate (PEM) is the one that the person chose to trust by its
	// fingerprint, nil in every other case; see profile.SaveCertificate.
	Certificate []byte
}

// Find probes the server of p and gives where it really answers: one redirect from
// http to https on the same host is followed. client.ErrUnsupported tells of a
// server of another kind.
func Find(ctx context.Context, p profile.Profile, opts Options) (c *Client, notes []string, err error) {
	if p.URL, err = profile.NormaliseURL(p.URL); err != nil {
		return nil, nil, err
	}
	p.Kind = client.Exact
	for {
		if c, err = New(p, client.Keys{}, opts); err != nil {
			return nil, nil, err
		}
		_, err = c.Probe(ctx)
		var moved *client.MovedError
		if !errors.As(err, &moved) || !web.OnlySafer(moved) || notes != nil {
			return c, notes, err
		}
		notes = []string{fmt.Sprintf("%s answers at %s; using that address", moved.From, moved.To)}
		p.URL = moved.To
	}
}

// Login checks the server of p and what a person gave to log in with:
//   - a user name (keys.Public) and a password (keys.Private), with which a personal
//     access token is minted; the password is not kept;
//   - a token that the person has (keys.Private), with the user name or without;
//   - a key that the administrator of an older server gave (keys.Private, 40 hex
//     digits), with the user name.
//
// URL, CA and Trust of p are used, the rest is filled in; Name stays when it is
// set. A certificate that is not trusted is a *profile.CertificateError.
func Login(ctx context.Context, p profile.Profile, keys client.Keys, opts Options) (LoginResult, error) {
	found, notes, err := Find(ctx, p, opts)
	if err != nil {
		return LoginResult{}, err
	}
	p = found.profile
	result := LoginResult{Info: client.Info{Kind: client.Exact, URL: p.URL}, Notes: notes}
	if keys.Private == "" || keys.Public == "" && !isToken(keys.Private) {
		return LoginResult{}, fmt.Errorf("%w for %s; give your user name and password, or a personal access token from your account page there", profile.ErrNoKeys, p.URL)
	}
	p.User = keys.Public
	c, err := found.authenticate(ctx, p, keys, opts)
	if err != nil {
		return LoginResult{}, err
	}
	if result.User, err = c.CurrentUser(ctx); err != nil {
		return LoginResult{}, err
	}
	switch {
	case p.User == "":
		result.Notes = append(result.Notes, "EXACT does not say whose token this is; give your user name too to see which jobs are yours")
	case result.User.ID == 0:
		result.Notes = append(result.Notes, "the server does not show this user, who is in no team there; ask a team's administrator, or no image set will be seen")
	}
	if p.Name == "" {
		_, p.Name, _ = strings.Cut(p.URL, "://")
	}
	if shown := found.shown.Load(); shown != nil && p.Trust != "" {
		result.Certificate = profile.PEM(shown)
	}
	result.Profile, result.Keys = p, c.keys
	return result, nil
}

// authenticate gives a connection with credentials that may be kept.
func (c *Client) authenticate(ctx context.Context, p profile.Profile, keys client.Keys, opts Options) (*Client, error) {
	if isToken(keys.Private) {
		with, err := New(p, profile.TokenKeys(keys.Private), opts)
		if err != nil {
			return nil, err
		}
		return with, with.accepted(ctx)
	}
	if oldKey().MatchString(keys.Private) {
		with, err := New(p, client.Keys{Public: oldToken, Private: keys.Private}, opts)
		if err != nil {
			return nil, err
		}
		if err := with.accepted(ctx); !errors.Is(err, client.ErrUnauthorised) {
			return with, err
		} // else it is a password
	}
	basic, err := New(p, keys, opts)
	if err != nil {
		return nil, err
	}
	minted, err := basic.MintToken(ctx, TokenName(), time.Time{})
	if errors.Is(err, client.ErrUnauthorised) {
		return nil, fmt.Errorf("%s does not accept this user name and password; check both: %w", p.URL, err)
	}
	if errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrUnsupported) {
		return nil, fmt.Errorf("%s has no personal access tokens, it is older than December 2025; ask its administrator for the key of your user and give that instead of the password, or to update it: %w", p.URL, client.ErrUnsupported)
	}
	if err != nil {
		return nil, err
	}
	with, err := New(p, profile.TokenKeys(minted.Secret), opts)
	if err != nil {
		return nil, err
	}
	with.clock.adopt(&basic.clock)
	return with, nil
}

// oldKey is how Django's own tokens look.
var oldKey = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{40}$`) })

// accepted tells whether the server takes the credentials.
func (c *Client) accepted(ctx context.Context) error {
	_, err := c.do(ctx, call{method: http.MethodGet, path: with(pluginsPath, "limit", "1", "fields", "id")})
	return err
}

// mintedName begins the names of the tokens that logins mint.
const mintedName = "cytorun@"

// TokenName is what the tokens that a login on this box mints are called.
func TokenName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "unknown"
	}
	return web.Cut(mintedName+host, 100)
}

// Logout revokes the token of this connection, if a login minted it: one that a
// person made may be used elsewhere, and other credentials cannot be revoked.
func (c *Client) Logout(ctx context.Context) error {
	if c.Token() == "" {
		return nil
	}
	prefix, _, _ := strings.Cut(strings.TrimPrefix(c.keys.Private, "pat_"), ".")
	tokens, err := c.Tokens(ctx)
	if err != nil {
		return fmt.Errorf("cannot revoke the token at %s: %w", c.base, err)
	}
	for _, t := range tokens {
		if t.Prefix == prefix && !t.Revoked && strings.HasPrefix(t.Name, mintedName) {
			if err := c.RevokeToken(ctx, t.ID); err != nil {
				return fmt.Errorf("cannot revoke the token at %s: %w", c.base, err)
			}
		}
	}
	return nil
}
