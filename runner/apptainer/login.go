package apptainer

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// registryOf reads the name of a registry as people write it: with or without a
// scheme and a path.
func registryOf(s string) (name.Registry, error) {
	host := strings.TrimSpace(s)
	if _, rest, ok := strings.Cut(host, "://"); ok {
		host = rest
	}
	host, _, _ = strings.Cut(host, "/")
	if host == "docker.io" {
		host = name.DefaultRegistry
	}
	opts := []name.Option{name.StrictValidation}
	if plainHTTP(host) {
		opts = append(opts, name.Insecure)
	}
	r, err := name.NewRegistry(host, opts...)
	if err != nil || host == "" {
		return r, fmt.Errorf("%q names no registry; say it like ghcr.io", oneLine(s))
	}
	return r, nil
}

// Login asks a registry whether it knows a user and a password or token, and
// keeps them where `apptainer registry login` does, readable by this user only.
// The command itself then knows them too.
func Login(ctx context.Context, registry, user, password string) error {
	r, err := registryOf(registry)
	if err != nil {
		return err
	}
	if user == "" || password == "" {
		return errors.New("a login needs a user and a password or token")
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := ping(ctx, r, authn.FromConfig(authn.AuthConfig{Username: user, Password: password})); err != nil {
		return fmt.Errorf("log in to %s: %w", r.RegistryStr(), err)
	}
	return changeAuths(func(auths map[string]json.RawMessage) error {
		entry, err := json.Marshal(map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(user + ":" + password))})
		auths[authKey(r)] = entry
		return err
	})
}

// Logout forgets the keys of a registry, and tells whether there were any.
func Logout(registry string) (had bool, err error) {
	r, err := registryOf(registry)
	if err != nil {
		return false, err
	}
	err = changeAuths(func(auths map[string]json.RawMessage) error {
		for _, k := range authKeys(r.RegistryStr()) {
			_, ok := auths[k]
			had = had || ok
			delete(auths, k)
		}
		return nil
	})
	return had, err
}

// Logins are the registries whose keys are kept, as Logout knows them.
func Logins() []string {
	var file struct {
		Auths map[string]json.RawMessage `json:"auths"`
	}
	if data, err := os.ReadFile(authFile()); err != nil || json.Unmarshal(data, &file) != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(file.Auths))
}

// ping asks a registry for nothing but whether it lets us in.
func ping(ctx context.Context, r name.Registry, auth authn.Authenticator) error {
	t, err := transport.NewWithContext(ctx, r, auth, http.DefaultTransport, nil)
	if err != nil {
		return explainPing(ctx, r, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Scheme()+"://"+r.RegistryStr()+"/v2/", nil)
	if err != nil {
		return err
	}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return explainPing(ctx, r, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%w: it does not know this user or password", ErrLogin)
	case resp.StatusCode >= 300:
		return fmt.Errorf("%w: it answered %d", ErrRegistry, resp.StatusCode)
	}
	return nil
}

func explainPing(ctx context.Context, r name.Registry, err error) error {
	var t *transport.Error
	if errors.As(err, &t) && (t.StatusCode == http.StatusUnauthorized || t.StatusCode == http.StatusForbidden) {
		return fmt.Errorf("%w: it does not know this user or password", ErrLogin)
	}
	if cause, kind := reachError(err); kind != nil {
		return fmt.Errorf("%w: %s", kind, cause)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.New(oneLine(err.Error()))
}

// authFile is where the command keeps keys of registries: a file of docker's
// format.
func authFile() string {
	dir := cmp.Or(os.Getenv("APPTAINER_CONFIGDIR"), filepath.Join(os.Getenv("HOME"), ".apptainer"))
	return filepath.Join(dir, "docker-config.json")
}

// authKey is what docker calls a registry in such a file.
func authKey(r name.Registry) string {
	if r.RegistryStr() == name.DefaultRegistry {
		return authn.DefaultAuthKey
	}
	return r.RegistryStr()
}

// authKeys are all names by which a file may know a registry.
func authKeys(registry string) []string {
	keys := []string{registry, "https://" + registry}
	if registry == name.DefaultRegistry {
		keys = append(keys, authn.DefaultAuthKey, "docker.io")
	}
	return keys
}

// changeAuths changes the keys in the file and nothing else, by a rename and
// under a lock.
func changeAuths(change func(map[string]json.RawMessage) error) error {
	path := authFile()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fileError("keep the registry's keys", err)
	}
	lock := flock.New(path + ".lock")
	if err := lock.Lock(); err != nil {
		return fileError("keep the registry's keys", err)
	}
	defer lock.Unlock()
	file, auths := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError("read the keys of registries", err)
	}
	if err == nil {
		if err := json.Unmarshal(data, &file); err != nil {
			return fmt.Errorf("%s holds no JSON, so nothing is changed there: %w", path, err)
		}
		if raw, ok := file["auths"]; ok {
			if err := json.Unmarshal(raw, &auths); err != nil {
				return fmt.Errorf("%s holds no keys of registries, so nothing is changed there: %w", path, err)
			}
		}
	}
	if auths == nil { // "auths": null
		auths = map[string]json.RawMessage{}
	}
	if err := change(auths); err != nil {
		return err
	}
	if file["auths"], err = json.Marshal(auths); err != nil {
		return err
	}
	// What writeJSON makes is readable by this user only.
	return writeJSON(path, file)
}
