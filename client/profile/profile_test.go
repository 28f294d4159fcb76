package profile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cytorun/cytorun/client"
)

// home gives this test its own folders and the paths that follow from them.
func home(t *testing.T) Paths {
	t.Helper()
	root := t.TempDir()
	for _, name := range []string{"CONFIG", "DATA", "STATE", "CACHE"} {
		t.Setenv("XDG_"+name+"_HOME", filepath.Join(root, strings.ToLower(name)))
	}
	p, err := DefaultPaths()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func writeConfig(t *testing.T, p Paths, text string) {
	t.Helper()
	if err := os.MkdirAll(p.Config, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(configFile(p), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func noEnv(string) string { return "" }

func envOf(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestPathsFollowXDGAndSettings(t *testing.T) {
	p := home(t)
	state := os.Getenv("XDG_STATE_HOME")
	if p.Runs != filepath.Join(state, "cytorun", "runs") {
		t.Errorf("runs in %s", p.Runs)
	}
	if p.Work != "" {
		t.Errorf("work folders outside the run folders by default: %s", p.Work)
	}
	t.Setenv("HOME", "/home/me")
	t.Setenv("SCRATCH", "/scratch/me")
	writeConfig(t, p, "[paths]\ncache = \"~/cache\"\nwork = \"$SCRATCH/work\"\nruns = \"/runs/\"\n")
	p, err := DefaultPaths()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want string }{
		{p.Cache, "/home/me/cache"},
		{p.Containers, "/home/me/cache/containers"},
		{p.Work, "/scratch/me/work"},
		{p.Runs, "/runs"},
		{p.State, filepath.Join(state, "cytorun")},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func TestRelativeXDGFolderIsIgnored(t *testing.T) {
	home(t)
	t.Setenv("HOME", "/home/me")
	t.Setenv("XDG_STATE_HOME", "relative")
	p, err := DefaultPaths()
	if err != nil {
		t.Fatal(err)
	}
	if p.State != "/home/me/.local/state/cytorun" {
		t.Errorf("state in %s", p.State)
	}
}

func TestPathSettingsThatCannotBeUsedAreNamed(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"[paths]\nruns = \"here\"\n", "not an absolute path"},
		{"[paths]\nruns = \"$NOT_SET_ANYWHERE/x\"\n", "NOT_SET_ANYWHERE is not set"},
		{"[paths\n", "config.toml:"},
		{"current = \"a\"\ncurrent = \"b\"\n", "config.toml:2:"},
		{"current = 5\n", "config.toml"},
	} {
		p := home(t)
		writeConfig(t, p, c.text)
		_, err := DefaultPaths()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestFoldersAreMadeForTheirOwnerOnly(t *testing.T) {
	p := home(t)
	if err := p.Make(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{p.Config, p.Data, p.State, p.Cache, p.Runs, p.Containers} {
		if m := mode(t, dir); m != 0o700 {
			t.Errorf("%s has mode %o", dir, m)
		}
	}
}

func TestSavedProfileComesBack(t *testing.T) {
	p := home(t)
	want := Profile{Name: "lab one", Kind: client.Cytomine, URL: "https://lab.example/cytomine", CA: "/ca.pem",
		User: "bob", Project: 42, SignaturePrefix: true, Trust: "ab12"}
	keys := client.Keys{Public: "pub", Private: "priv \"quoted\""}
	if err := Save(p, want, keys); err != nil {
		t.Fatal(err)
	}
	got, gotKeys, err := Resolve(p, Selection{}, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if got != want || gotKeys != keys {
		t.Errorf("got %+v", got)
	}
	if m := mode(t, credentialsFile(p)); m != 0o600 {
		t.Errorf("keys have mode %o", m)
	}
	if m := mode(t, p.Config); m != 0o700 {
		t.Errorf("their folder has mode %o", m)
	}
	text, err := os.ReadFile(configFile(p))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "priv") {
		t.Error("a key in config.toml")
	}
}

func TestKeysThatOthersCanReadAreRefused(t *testing.T) {
	for _, m := range []os.FileMode{0o640, 0o604, 0o620, 0o644} {
		p := home(t)
		if err := Save(p, Profile{Name: "lab", URL: "https://lab.example"}, client.Keys{Public: "a", Private: "b"}); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(credentialsFile(p), m); err != nil {
			t.Fatal(err)
		}
		_, _, err := Resolve(p, Selection{}, noEnv)
		if !errors.Is(err, ErrExposed) || !strings.Contains(err.Error(), "chmod 600 "+credentialsFile(p)) {
			t.Errorf("mode %o: %v", m, err)
		}
	}
}

func TestResolveOrder(t *testing.T) {
	p := home(t)
	stored := client.Keys{Public: "stored", Private: "x"}
	for _, name := range []string{"one", "two"} {
		if err := Save(p, Profile{Name: name, Kind: client.Cytomine, URL: "https://" + name + ".example"}, stored); err != nil {
			t.Fatal(err)
		}
	}
	env := envOf("CYTOMINE_HOST", "https://env.example", "CYTOMINE_PUBLIC_KEY", "env", "CYTOMINE_PRIVATE_KEY", "x")
	for _, c := range []struct {
		name      string
		selection Selection
		env       func(string) string
		url, key  string
	}{
		{"nothing said: the last one", Selection{}, noEnv, "https://two.example", "stored"},
		{"a name", Selection{Server: "one"}, noEnv, "https://one.example", "stored"},
		{"the environment before the last one", Selection{}, env, "https://env.example", "env"},
		{"a name before the environment, with its own keys", Selection{Server: "one"}, env, "https://one.example", "stored"},
		{"flags before the environment", Selection{Host: "flag.example", Public: "flag", Private: "x"}, env, "https://flag.example", "flag"},
		{"an address of a profile brings its keys", Selection{Server: "https://one.example/"}, noEnv, "https://one.example", "stored"},
		{"keys of the environment for the last one", Selection{}, envOf("CYTOMINE_PUBLIC_KEY", "env", "CYTOMINE_PRIVATE_KEY", "x"), "https://two.example", "env"},
	} {
		profile, keys, err := Resolve(p, c.selection, c.env)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if profile.URL != c.url || keys.Public != c.key {
			t.Errorf("%s: %s with %s, want %s with %s", c.name, profile.URL, keys.Public, c.url, c.key)
		}
	}
}

func TestResolveSaysTheNextStep(t *testing.T) {
	p := home(t)
	for _, c := range []struct {
		name      string
		selection Selection
		env       func(string) string
		kind      error
		want      string
	}{
		{"fresh machine", Selection{}, noEnv, ErrNoServer, "cytorun login https://your-site"},
		{"no keys for an address", Selection{Host: "lab.example"}, noEnv, ErrNoKeys, "cytorun login https://lab.example"},
		{"one key only", Selection{Host: "lab.example", Public: "a"}, noEnv, nil, "give the public and the private key"},
		{"unknown name", Selection{Server: "lab"}, noEnv, client.ErrNotFound, "cytorun login"},
		{"bad address", Selection{Host: "ftp://x"}, noEnv, nil, "https://your-site"},
		{"two servers", Selection{Server: "a", Host: "b.example"}, noEnv, nil, "name one"},
	} {
		_, _, err := Resolve(p, c.selection, c.env)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.kind != nil && !errors.Is(err, c.kind) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestWritingKeepsUnknownSettings(t *testing.T) {
	p := home(t)
	writeConfig(t, p, `
current = "lab"
[notify]
command = "say done"
[paths]
work = "/scratch"
later = "kept"
[profiles.lab]
kind = "cytomine"
url = "https://lab.example"
ca = "/old.pem"
colour = "green"
`)
	err := Update(p, func(c *Config) error {
		lab := c.Profiles["lab"]
		lab.CA = ""
		c.Profiles["lab"] = lab
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(configFile(p))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`command = "say done"`, `later = "kept"`, `colour = "green"`, `work = "/scratch"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("lost %s:\n%s", want, data)
		}
	}
	if strings.Contains(string(data), "old.pem") {
		t.Errorf("an emptied setting came back:\n%s", data)
	}
}

func TestRememberNotesServerAndProject(t *testing.T) {
	p := home(t)
	for _, name := range []string{"one", "two"} {
		if err := Save(p, Profile{Name: name, URL: "https://" + name + ".example"}, client.Keys{Public: "a", Private: "b"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := Remember(p, "one", 7); err != nil {
		t.Fatal(err)
	}
	if err := Remember(p, "one", 0); err != nil {
		t.Fatal(err)
	}
	profile, _, err := Resolve(p, Selection{}, noEnv)
	if err != nil || profile.Name != "one" || profile.Project != 7 {
		t.Errorf("%+v, %v", profile, err)
	}
	if err := Remember(p, "", 9); err != nil {
		t.Errorf("a server of the environment: %v", err)
	}
}

func TestRemoveForgetsKeysAndCertificate(t *testing.T) {
	p := home(t)
	ca, err := SaveCertificate(p, "../lab", []byte("pem"))
	if err != nil {
		t.Fatal(err)
	}
	if rel, err := filepath.Rel(p.Config, ca); err != nil || strings.Contains(rel, "/../") || strings.HasPrefix(rel, "..") {
		t.Fatalf("certificate stored at %s", ca)
	}
	if err := Save(p, Profile{Name: "../lab", URL: "https://lab.example", CA: ca}, client.Keys{Public: "a", Private: "b"}); err != nil {
		t.Fatal(err)
	}
	if err := Remove(p, "../lab"); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := LoadKeys(p, "../lab"); ok || err != nil {
		t.Errorf("keys still there, %v", err)
	}
	if _, err := os.Stat(ca); !os.IsNotExist(err) {
		t.Errorf("certificate still there: %v", err)
	}
	if err := Remove(p, "../lab"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("second removal: %v", err)
	}
}

func TestConcurrentSavesLoseNothing(t *testing.T) {
	p := home(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			name := fmt.Sprintf("site%d", i)
			if err := Save(p, Profile{Name: name, URL: "https://" + name}, client.Keys{Public: name, Private: "x"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	config, err := Load(p)
	if err != nil || len(config.Profiles) != 20 {
		t.Fatalf("%d profiles, %v", len(config.Profiles), err)
	}
	for name := range config.Profiles {
		if keys, ok, err := LoadKeys(p, name); !ok || err != nil || keys.Public != name {
			t.Errorf("%s: %v %v", name, ok, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(p.Config, ".*toml*"))
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files left: %v", left)
	}
}

func TestSettingsKeptElsewhereByALinkStayThere(t *testing.T) {
	p := home(t)
	if err := os.MkdirAll(p.Config, 0o700); err != nil {
		t.Fatal(err)
	}
	real := filepath.Join(t.TempDir(), "dotfiles.toml")
	if err := os.WriteFile(real, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, configFile(p)); err != nil {
		t.Fatal(err)
	}
	if err := Update(p, func(c *Config) error { c.Current = "lab"; return nil }); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(real)
	if err != nil || !strings.Contains(string(data), "lab") {
		t.Errorf("%q, %v", data, err)
	}
}

func TestNormaliseURL(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"lab.example", "https://lab.example"},
		{" https://Lab.Example/ ", "https://lab.example"},
		{"https://lab.example/cytomine/", "https://lab.example/cytomine"},
		{"https://lab.example/api/", "https://lab.example"},
		{"http://lab.example:8080?x=1#y", "http://lab.example:8080"},
		{"127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"localhost/x", "http://localhost/x"},
		{"[::1]:80", "http://[::1]:80"},
	} {
		got, err := NormaliseURL(c.in)
		if err != nil || got != c.want {
			t.Errorf("%q: %q, %v; want %q", c.in, got, err, c.want)
		}
	}
	for _, in := range []string{"", "ftp://x", "https://", "https://u:p@x", "https://a b", "http://[::1", "https://x/%zz"} {
		if got, err := NormaliseURL(in); err == nil {
			t.Errorf("%q accepted as %q", in, got)
		}
	}
}

// FuzzLoad: no settings file, however broken, panics, and what is read and
// written reads the same again.
func FuzzLoad(f *testing.F) {
	f.Add("current = \"lab\"\n[profiles.lab]\nurl = \"https://x\"\nproject = 4\n[paths]\nwork = \"/w\"\n")
	f.Add("profiles = 5\n")
	f.Add("[profiles]\na = 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := Paths{Config: t.TempDir()}
		writeConfig(t, p, text)
		config, err := Load(p)
		if err != nil {
			return
		}
		if err := Update(p, func(*Config) error { return nil }); err != nil {
			t.Fatal(err)
		}
		again, err := Load(p)
		if err != nil || again.Current != config.Current || len(again.Profiles) != len(config.Profiles) {
			t.Fatalf("%v: %+v became %+v", err, config, again)
		}
		for name, profile := range config.Profiles {
			if again.Profiles[name] != profile {
				t.Fatalf("%+v became %+v", profile, again.Profiles[name])
			}
		}
	})
}

// FuzzNormaliseURL: whatever is typed is refused in one line or becomes an
// address that stays as it is.
func FuzzNormaliseURL(f *testing.F) {
	for _, seed := range []string{"lab.example", "https://x/api/api/", "http://[::1]:80/a%20b", "localhost:1", "://", "https://é.example/ü"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		site, err := NormaliseURL(typed)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q", err)
			}
			return
		}
		if again, err := NormaliseURL(site); err != nil || again != site {
			t.Fatalf("%q became %q, then %q, %v", typed, site, again, err)
		}
	})
}
