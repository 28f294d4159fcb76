package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cytorun/cytorun/client"
)

// credentials is credentials.toml: one table per profile.
type credentials map[string]keyPair

type keyPair struct {
	Public  string `toml:"public_key"`
	Private string `toml:"private_key"`
}

func credentialsFile(p Paths) string { return filepath.Join(p.Config, "credentials.toml") }

// ErrExposed tells that others can read the file with the keys.
var ErrExposed = errors.New("others can read the keys")

// loadCredentials reads credentials.toml, and refuses a file that others can
// read: its keys may already be known to them.
func loadCredentials(p Paths) (credentials, error) {
	file := credentialsFile(p)
	opened, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return credentials{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the keys: %w", err)
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read the keys: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("will not use the keys in %s: %w (mode %04o); run: chmod 600 %s", file, ErrExposed, mode, file)
	}
	data := make([]byte, info.Size())
	if n, err := opened.ReadAt(data, 0); n < len(data) {
		return nil, fmt.Errorf("cannot read the keys in %s: %w", file, err)
	}
	keys := credentials{}
	if err := decode(file, data, &keys); err != nil {
		return nil, err
	}
	return keys, nil
}

// LoadKeys gives the keys stored for a profile; ok is false where there are
// none.
func LoadKeys(p Paths, name string) (keys client.Keys, ok bool, err error) {
	all, err := loadCredentials(p)
	if err != nil {
		return client.Keys{}, false, err
	}
	pair, ok := all[name]
	if !ok || pair.Public == "" || pair.Private == "" {
		return client.Keys{}, false, nil
	}
	return client.Keys{Public: pair.Public, Private: pair.Private}, true, nil
}

// Save stores a profile with its keys and makes it the current one.
func Save(p Paths, profile Profile, keys client.Keys) error {
	if profile.Name == "" {
		return errors.New("cannot store a server without a name")
	}
	err := changeKeys(p, func(all credentials) { all[profile.Name] = keyPair{keys.Public, keys.Private} })
	if err != nil {
		return err
	}
	return Update(p, func(c *Config) error {
		c.Profiles[profile.Name] = profile
		c.Current = profile.Name
		return nil
	})
}

// Remove forgets a profile, its keys and its stored certificate. The error is
// client.ErrNotFound where there is no such profile.
func Remove(p Paths, name string) error {
	err := Update(p, func(c *Config) error {
		if _, ok := c.Profiles[name]; !ok {
			return client.NotFound("no server named %q; see 'cytorun profile'", name)
		}
		delete(c.Profiles, name)
		if c.Current == name {
			c.Current = ""
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := os.Remove(certificateFile(p, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot forget the certificate: %w", err)
	}
	return changeKeys(p, func(all credentials) { delete(all, name) })
}

func changeKeys(p Paths, change func(credentials)) error {
	return locked(p, func() error {
		all, err := loadCredentials(p)
		if err != nil {
			return err
		}
		change(all)
		data, err := marshal(all)
		if err != nil {
			return fmt.Errorf("cannot write %s: %w", credentialsFile(p), err)
		}
		return writeFile(credentialsFile(p), data)
	})
}

// certificateFile is where the certificate of a profile is kept that the
// person chose to trust.
func certificateFile(p Paths, name string) string {
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '_'
	}, name)
	return filepath.Join(p.Config, "certificates", safe+".pem")
}

// SaveCertificate stores a certificate (PEM) that the person chose to trust
// for a profile and gives the file's path, to be used as the profile's CA:
// programs in containers are given that file too.
func SaveCertificate(p Paths, name string, pem []byte) (path string, err error) {
	path = certificateFile(p, name)
	if err := writeFile(path, pem); err != nil {
		return "", err
	}
	return path, nil
}
