package apptainer

import (
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func discard() *log.Logger { return log.New(io.Discard, "", 0) }

// status answers every request below /v2/ but the ping.
func status(code int) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/" {
				w.WriteHeader(200)
				return
			}
			w.WriteHeader(code)
		})
	}
}

func TestEnsureSaysInOneLineWhyAContainerCannotBeHad(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	good := registryHost(t, nil)
	for _, tag := range []string{"1.0", "1.1", "2.0"} {
		push(t, good+"/lab/app:"+tag, empty.Image)
	}
	other := mutate.MediaType(empty.Image, types.DockerManifestSchema2)
	other, err := mutate.ConfigFile(other, &v1.ConfigFile{OS: "linux", Architecture: "s390x"})
	if err != nil {
		t.Fatal(err)
	}
	push(t, good+"/lab/other:1", other)
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: other, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "s390x"}}})
	indexTag, err := name.ParseReference(good+"/lab/index:1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(indexTag, index); err != nil {
		t.Fatal(err)
	}
	big, err := random.Layer(1000, types.DockerLayer)
	if err != nil {
		t.Fatal(err)
	}
	liar := registryHost(t, func(h http.Handler) http.Handler {
		digest, _ := big.Digest()
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, digest.String()) {
				size, _ := big.Size()
				_, _ = w.Write(make([]byte, size))
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	push(t, liar+"/lab/app:1", testImage(t, v1.Config{Cmd: []string{"x"}}, big))
	for _, c := range []struct {
		name, ref string
		is        error
		says      []string
	}{
		{"no reference", "", nil, []string{"names no container", "--container"}},
		{"no tag", good + "/lab/app", nil, []string{"names no version", "1.0, 1.1, 2.0"}},
		{"an unknown tag", good + "/lab/app:9", nil, []string{`has no version "9"`, "1.0, 1.1, 2.0"}},
		{"no such image", good + "/lab/nothing:1", ErrNoImage, []string{"lab/nothing:1"}},
		{"an unknown digest", good + "/lab/app@sha256:" + strings.Repeat("0", 64), ErrNoImage, nil},
		{"a refused port", "127.0.0.1:1/lab/app:1", ErrRegistry, []string{"127.0.0.1:1", "connection refused"}},
		{"no such host", "registry.invalid/lab/app:1", ErrRegistry, []string{"registry.invalid"}},
		{"a login", registryHost(t, status(401)) + "/lab/app:1", ErrLogin, []string{"cytorun container login"}},
		{"something forbidden", registryHost(t, status(403)) + "/lab/app:1", ErrLogin, nil},
		{"another processor", good + "/lab/other:1", ErrArchitecture, []string{"s390x"}},
		{"only other processors", good + "/lab/index:1", ErrArchitecture, nil},
		{"other bytes than promised", liar + "/lab/app:1", nil, []string{"sha256"}},
		{"a bad name", "Lab/App:1", nil, []string{"not a reference"}},
		{"control characters", "lab/app:1\x1b[31m", nil, []string{"control characters"}},
		{"another source", "library://lab/app:1", nil, []string{"library://", ".sif"}},
		{"a file that is not there", "/no/such/file.sif", nil, []string{"no such file"}},
		{"a folder", "/etc", nil, []string{"no root file system"}},
		{"an archive that is not there", "docker-archive:/no/such.tar", nil, []string{"no such file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := (&Apptainer{Path: "/bin/false", Name: "apptainer", Version: "1.4.5"}).Ensure(t.Context(), t.TempDir(), c.ref, func(string) {})
			if err == nil {
				t.Fatal("no error")
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is no %v", err, c.is)
			}
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("%q is not one clean line", err)
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

func TestTagErrorListsWhatThereIs(t *testing.T) {
	host := registryHost(t, nil)
	push(t, host+"/lab/app:1.0", empty.Image)
	_, err := (&Apptainer{}).Ensure(t.Context(), t.TempDir(), host+"/lab/app", func(string) {})
	var e *TagError
	if !errors.As(err, &e) || !slices.Equal(e.Tags, []string{"1.0"}) || e.Tag != "" {
		t.Errorf("%v", err)
	}
	many := &TagError{Repository: "x", Tags: strings.Split(strings.Repeat("a ", 30), " ")}
	if !strings.Contains(many.Error(), "and 21 more") {
		t.Error(many)
	}
}

func TestWithVersion(t *testing.T) {
	for _, c := range []struct{ ref, version, want string }{
		{"lab/app", "v1.2", "lab/app:v1.2"},
		{"docker://lab/app", "v1.2", "docker://lab/app:v1.2"},
		{"localhost:5000/lab/app", "1", "localhost:5000/lab/app:1"},
		{"lab/app:latest", "v1.2", "lab/app:latest"},
		{"lab/app:1", "v1.2", "lab/app:1"},
		{"lab/app@sha256:" + strings.Repeat("a", 64), "v1.2", "lab/app@sha256:" + strings.Repeat("a", 64)},
		{"/data/x.sif", "v1.2", "/data/x.sif"},
		{"lab/app", "", "lab/app"},
		{"Not Valid", "1", "Not Valid"},
	} {
		if got := WithVersion(c.ref, c.version); got != c.want {
			t.Errorf("WithVersion(%q, %q) = %q, want %q", c.ref, c.version, got, c.want)
		}
	}
}

func TestPlainHTTPIsForLoopbackOnly(t *testing.T) {
	for ref, want := range map[string]bool{"localhost:5000/a": true, "127.0.0.1/a": true, "[::1]:5000/a": true, "lab/app": false, "10.0.0.5:5000/a": false, "registry.org/a": false} {
		if got := plainHTTP(ref); got != want {
			t.Errorf("plainHTTP(%q) = %v", ref, got)
		}
	}
	t.Setenv("APPTAINER_NOHTTPS", "1")
	if !plainHTTP("registry.org/a") {
		t.Error("the user's wish is ignored")
	}
}

func TestKeysOfRegistries(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("APPTAINER_CONFIGDIR", dir)
	if err := os.WriteFile(filepath.Join(dir, "docker-config.json"), []byte(`{"auths":{"registry.org":{"auth":"bWU6cGFzcw=="},"docker.io":{"username":"hub","password":"x"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	user := func(ref string) string {
		t.Helper()
		r, err := name.ParseReference(ref)
		if err != nil {
			t.Fatal(err)
		}
		a, err := authn.NewMultiKeychain(envKeychain{}, apptainerKeychain{}).Resolve(r.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, err := a.Authorization()
		if err != nil {
			t.Fatal(err)
		}
		return c.Username + "/" + c.Password
	}
	for ref, want := range map[string]string{"registry.org/a:1": "me/pass", "lab/app:1": "hub/x", "other.org/a:1": "/"} {
		if got := user(ref); got != want {
			t.Errorf("%s: %q, want %q", ref, got, want)
		}
	}
	t.Setenv("APPTAINER_DOCKER_USERNAME", "env")
	t.Setenv("APPTAINER_DOCKER_PASSWORD", "p")
	if got := user("registry.org/a:1"); got != "env/p" {
		t.Errorf("environment: %q", got)
	}
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		code int
		tail string
		says string
		own  bool
	}{
		{0, "", "", false},
		{1, "boom\n", "exit code 1", false},
		{255, "x\nFATAL:   container creation failed: mount /a->/b error: mount source /a doesn't exist\n", "bind", true},
		{255, "\x1b[31mFATAL:  \x1b[0m stat /bin/x: no such file or directory\n", "no such file", true},
		{255, "the program says 255\n", "exit code 255", false},
		{1, "ERROR  : Failed to create user namespace: not allowed\n", "user namespaces", true},
		{7, "FATAL:   not ours\n", "exit code 7", false},
		{137, "", "killed", false},
		{139, "", "segmentation fault", false},
		{127, "", "not found", false},
		{-1, "", "signal", false},
	} {
		got, own := Explain(c.code, c.tail)
		if own != c.own || !strings.Contains(got, c.says) || c.says == "" && got != "" {
			t.Errorf("Explain(%d, %q) = %q, %v", c.code, c.tail, got, own)
		}
	}
}

func TestFindLooksForACommandThatWorks(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	t.Setenv("XDG_DATA_HOME", filepath.Join(dir, "data"))
	script := func(path, says string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("#!/bin/sh\n"+says+"\n"), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat("/opt/apptainer/bin/apptainer"); err != nil {
		if _, err := Find(); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "doctor --install") {
			t.Errorf("nothing there: %v", err)
		}
	}
	script(filepath.Join(dir, "singularity"), "echo singularity version 3.8.7-1.el8")
	script(filepath.Join(dir, "data", "cytorun", "apptainer", "bin", "apptainer"), "echo apptainer version 1.0.3")
	a, err := Find()
	if err != nil || a.Name != "apptainer" || a.Version != "1.0.3" || a.noEval {
		t.Fatalf("%+v, %v", a, err)
	}
	script(filepath.Join(dir, "apptainer"), "echo apptainer version 1.4.5-2")
	if a, err = Find(); err != nil || a.Version != "1.4.5" || !a.noEval || a.Path != filepath.Join(dir, "apptainer") {
		t.Fatalf("%+v, %v", a, err)
	}
	script(filepath.Join(dir, "apptainer"), "echo broken >&2; exit 3")
	if a, err = Find(); err != nil || a.Version != "1.0.3" {
		t.Fatalf("a broken one hides a good one: %+v, %v", a, err)
	}
	s, err := probe(filepath.Join(dir, "singularity"))
	if err != nil || s.Version != "3.8.7" || s.noEval {
		t.Fatalf("%+v, %v", s, err)
	}
	_, env := s.Command(Job{Env: map[string]string{"K": "v"}})
	if !slices.Contains(env, "SINGULARITYENV_K=v") {
		t.Errorf("singularity gets %v", env)
	}
}

func TestPrepareRefusesFoldersThatCannotBeNamed(t *testing.T) {
	for _, dir := range []string{"", "relative", t.TempDir() + "/a:b"} {
		if err := (Job{WorkDir: dir}).Prepare(); err == nil {
			t.Errorf("%q is accepted", dir)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"lab/app:1", "docker://a", "oras://x/y@sha256:00", "docker-archive:/x", "/a.sif", "[::1]:80/a", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		src, err := parse(s)
		if err == nil && src.ref == nil && !filepath.IsAbs(src.path) {
			t.Fatalf("%q is %+v", s, src)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\x1b\x00") {
			t.Fatalf("%q gives %q", s, err)
		}
		WithVersion(s, "1")
	})
}

func FuzzExplain(f *testing.F) {
	f.Add(255, "FATAL:   x\n")
	f.Fuzz(func(t *testing.T, code int, tail string) {
		if got, _ := Explain(code, tail); strings.ContainsAny(got, "\n\x1b\x00") {
			t.Fatalf("%q", got)
		}
	})
}

func FuzzSIF(f *testing.F) {
	f.Add([]byte("SIF_MAGIC"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x.sif")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := checkSIF(path); err == nil && len(b) < 4096 {
			t.Fatal("accepted")
		}
		entry(path, true)
	})
}
