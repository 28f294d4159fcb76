package profile

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
)

// Selection is what flags say about the server to use. Everything may be empty.
type Selection struct {
	Server  string // a profile's name, or the address of a server
	Host    string // an address; stronger than CYTOMINE_HOST
	Public  string // keys for that server, both or none
	Private string
	CA      string // a PEM file
	Project client.ID
}

// ErrNoServer tells that no server was chosen and none is remembered.
var ErrNoServer = errors.New("no server yet: run 'cytorun login https://your-site' or 'cytorun demo'")

// UsageError tells that what a person gave (an address, a pair of keys, a choice
// of servers) cannot be meant.
type UsageError struct{ text string }

// Error says what is wrong and how to write it.
func (e *UsageError) Error() string { return e.text }

// ErrNoKeys tells that a server was chosen and there are no keys for it.
var ErrNoKeys = errors.New("no keys")

// TokenKeys are the keys of a personal access token of EXACT ("pat_PREFIX.SECRET"):
// what stands before the secret is public.
func TokenKeys(token string) client.Keys {
	prefix, _, _ := strings.Cut(token, ".")
	return client.Keys{Public: prefix, Private: token}
}

// Environment is the server that the environment names, and the keys for it:
// CYTOMINE_HOST with CYTOMINE_PUBLIC_KEY and CYTOMINE_PRIVATE_KEY, or else
// EXACT_HOST with EXACT_TOKEN and, for whoever wants jobs by user, EXACT_USER. The
// address is as it was typed, empty where there is none.
func Environment(env func(string) string) (Profile, client.Keys) {
	if env("CYTOMINE_HOST") == "" && env("EXACT_HOST") != "" {
		p := Profile{Kind: client.Exact, URL: env("EXACT_HOST"), User: env("EXACT_USER")}
		if token := env("EXACT_TOKEN"); token != "" {
			return p, TokenKeys(token)
		}
		return p, client.Keys{}
	}
	return Profile{Kind: client.Cytomine, URL: env("CYTOMINE_HOST")},
		client.Keys{Public: env("CYTOMINE_PUBLIC_KEY"), Private: env("CYTOMINE_PRIVATE_KEY")}
}

// EnvironmentKeys are the keys of the environment, if they are whole and for the
// server at this address.
func EnvironmentKeys(site string, env func(string) string) client.Keys {
	p, keys := Environment(env)
	named, err := NormaliseURL(p.URL)
	if err != nil || named != site || keys.Public == "" || keys.Private == "" {
		return client.Keys{}
	}
	return keys
}

// Resolve gives the server to talk to and the keys for it. From strong to weak:
// the selection's own values; without Server those of the Environment, read with
// env; the profile used last. A chosen address that belongs to a stored profile
// brings that profile's settings and keys.
func Resolve(p Paths, s Selection, env func(string) string) (Profile, client.Keys, error) {
	keys := client.Keys{Public: s.Public, Private: s.Private}
	around := Profile{Kind: client.Cytomine}
	if s.Server == "" {
		var found client.Keys
		around, found = Environment(env)
		if s.Host == "" {
			s.Host = around.URL
		}
		if keys == (client.Keys{}) {
			keys = found
		}
	}
	if (keys.Public == "") != (keys.Private == "") {
		return Profile{}, client.Keys{}, &UsageError{"one of the two keys is missing; give the public and the private key, in CYTOMINE_PUBLIC_KEY and CYTOMINE_PRIVATE_KEY"}
	}
	config, err := Load(p)
	if err != nil {
		return Profile{}, client.Keys{}, err
	}
	profile, err := config.choose(s, around)
	if err != nil {
		return Profile{}, client.Keys{}, err
	}
	if s.CA != "" {
		profile.CA = s.CA
	}
	if s.Project != 0 {
		profile.Project = s.Project
	}
	if keys != (client.Keys{}) {
		return profile, keys, nil
	}
	stored, ok, err := LoadKeys(p, profile.Name)
	if err != nil {
		return Profile{}, client.Keys{}, err
	}
	if !ok || profile.Name == "" {
		return Profile{}, client.Keys{}, fmt.Errorf("%w for %s; run 'cytorun login %s'", ErrNoKeys, profile.URL, profile.URL)
	}
	return profile, stored, nil
}

// choose finds the profile that a selection means. An address of no profile is of
// the kind that the environment names, and its user's.
func (c Config) choose(s Selection, around Profile) (Profile, error) {
	name, address := s.Server, s.Host
	if name != "" && address != "" {
		return Profile{}, &UsageError{fmt.Sprintf("two servers chosen, %q and %q; name one", name, address)}
	}
	if name == "" && address == "" {
		if name = c.Current; name == "" {
			return Profile{}, ErrNoServer
		}
	}
	if profile, ok := c.Profiles[name]; ok {
		return profile, nil
	}
	if name != "" {
		if !strings.ContainsAny(name, ".:/") {
			return Profile{}, c.unknown(name)
		}
		address = name
	}
	site, err := NormaliseURL(address)
	if err != nil {
		return Profile{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Profiles)) {
		if c.Profiles[name].URL == site {
			return c.Profiles[name], nil
		}
	}
	return Profile{Kind: around.Kind, URL: site, User: around.User}, nil
}

func (c Config) unknown(name string) error {
	known := strings.Join(slices.Sorted(maps.Keys(c.Profiles)), ", ")
	if known == "" {
		return client.NotFound("no server named %q; run 'cytorun login https://your-site' or 'cytorun demo'", name)
	}
	return client.NotFound("no server named %q; known: %s", name, known)
}

// NormaliseURL makes an address as people type it into the URL of a site:
// https unless it says otherwise (http for this machine itself), host in lower
// case, no trailing slash, no /api, query or fragment.
func NormaliseURL(address string) (string, error) {
	address = strings.TrimSpace(address)
	bad := func(why string) (string, error) {
		return "", &UsageError{fmt.Sprintf("%q is no address of a server: %s; write it like https://your-site", address, why)}
	}
	typed := address
	if !strings.Contains(typed, "://") {
		scheme := "https://"
		host, _, _ := strings.Cut(typed, "/")
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
			scheme = "http://"
		}
		typed = scheme + typed
	}
	site, err := url.Parse(typed)
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err
		}
		return bad(err.Error())
	}
	switch {
	case site.Scheme != "http" && site.Scheme != "https":
		return bad("it must begin with http:// or https://")
	case site.Hostname() == "":
		return bad("it names no host")
	case site.User != nil:
		return bad("it must not hold a user or password")
	}
	path := strings.TrimRight(site.EscapedPath(), "/")
	for strings.HasSuffix(path, "/api") {
		path = strings.TrimRight(strings.TrimSuffix(path, "/api"), "/")
	}
	return site.Scheme + "://" + strings.ToLower(site.Host) + path, nil
}
