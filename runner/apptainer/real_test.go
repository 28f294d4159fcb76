package apptainer

// The tests named TestReal... run real containers. TestOrdinaryUser runs them
// all again as an ordinary user, who has other limits and other ways to mount.

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// installed finds apptainer and busybox, or skips.
func installed(t *testing.T) (a *Apptainer, busybox []byte) {
	t.Helper()
	own(t)
	a, err := Find()
	if errors.Is(err, ErrMissing) {
		t.Skip("needs apptainer: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"/usr/bin/busybox", "/bin/busybox"} {
		if b, err := os.ReadFile(p); err == nil {
			if bytes.Contains(b[:min(len(b), 4096)], []byte("ld-linux")) {
				continue
			}
			return a, b
		}
	}
	t.Skip("needs a static busybox (Debian: busybox-static)")
	return nil, nil
}

// layer is a layer of an image with these files; a value of "" is a folder.
func layer(t *testing.T, files map[string][]byte) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	var names []string
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		h := &tar.Header{Name: n, Mode: 0o755, Size: int64(len(files[n]))}
		if strings.HasSuffix(n, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[n]); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// image of a program, with layers.
func testImage(t testing.TB, c v1.Config, layers ...v1.Layer) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		t.Fatal(err)
	}
	f, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	f = f.DeepCopy()
	f.OS, f.Architecture, f.Config = "linux", runtime.GOARCH, c
	if img, err = mutate.ConfigFile(img, f); err != nil {
		t.Fatal(err)
	}
	return img
}

// show is an image without a shell whose program prints each argument between
// brackets.
func show(t *testing.T, busybox []byte) v1.Image {
	return testImage(t, v1.Config{Entrypoint: []string{"/bin/busybox", "printf", `[%s]\n`}, Cmd: []string{"default argument"}, Env: []string{"FROM_IMAGE=yes of course", "PATH=/bin"}},
		layer(t, map[string][]byte{"bin/": nil, "bin/busybox": busybox}))
}

// shell is an image with a shell that runs its arguments.
func shell(t *testing.T, busybox []byte) v1.Image {
	return testImage(t, v1.Config{Entrypoint: []string{"/bin/sh", "-c"}, Env: []string{"PATH=/bin"}},
		layer(t, map[string][]byte{"bin/": nil, "bin/busybox": busybox, "bin/sh": busybox}))
}

// registryHost serves a registry on loopback; wrap may break it.
func registryHost(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	h := registry.New(registry.Logger(discard()))
	if wrap != nil {
		h = wrap(h)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func push(t testing.TB, ref string, img v1.Image) {
	t.Helper()
	r, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(r, img); err != nil {
		t.Fatal(err)
	}
}

// folder is one that is removed at the end and that others may look into.
func folder(t *testing.T) string {
	t.Helper()
	d, err := os.MkdirTemp("", "cytorun-apptainer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(d) })
	return d
}

// run executes a job to its end.
func run(t *testing.T, a *Apptainer, j Job) (stdout, stderr string, code int) {
	t.Helper()
	if j.WorkDir == "" {
		j.WorkDir = filepath.Join(folder(t), "work")
	}
	if err := j.Prepare(); err != nil {
		t.Fatal(err)
	}
	argv, env := a.Command(j)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// lines collects progress.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, s)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

func ensure(t *testing.T, a *Apptainer, cacheDir, ref string) Container {
	t.Helper()
	c, err := a.Ensure(t.Context(), cacheDir, ref, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var hostileValues = []string{
	"plain", "", "two words", "$(id)", "`id`", "$HOME", "${HOME}", `a"b`, "a'b", `back\slash`, "--flag", "-x", "line\nbreak", "tab\there",
	"*", "~", "a;id", "a|id", "a&&id", "%s%n", "ünïcödé 細胞", "trailing\\", `"quoted"`, "a,b=c,d", "\x1b[31m", "$'x'", "!!", "#no", "a=b",
}

func TestRealValuesReachTheProgramExactly(t *testing.T) {
	a, busybox := installed(t)
	host := registryHost(t, nil)
	push(t, host+"/lab/show:1", show(t, busybox))
	push(t, host+"/lab/shell:1", shell(t, busybox))
	cacheDir := folder(t)

	t.Run("as arguments of a container without a shell", func(t *testing.T) {
		c := ensure(t, a, cacheDir, host+"/lab/show:1")
		out, errs, code := run(t, a, Job{Container: c, Argv: hostileValues})
		want := "[" + strings.Join(hostileValues, "]\n[") + "]\n"
		if out != want || code != 0 {
			t.Errorf("exit %d, %s\ngot  %q\nwant %q", code, errs, out, want)
		}
	})
	t.Run("default arguments apply when there are none", func(t *testing.T) {
		c := ensure(t, a, cacheDir, host+"/lab/show:1")
		if out, errs, _ := run(t, a, Job{Container: c}); out != "[default argument]\n" {
			t.Errorf("got %q, %s", out, errs)
		}
	})
	for _, noEval := range []bool{true, false} {
		name := "as environment"
		if !noEval {
			name += " of a command that evaluates it"
		}
		t.Run(name, func(t *testing.T) {
			b := *a
			b.noEval = b.noEval && noEval
			c := ensure(t, a, cacheDir, host+"/lab/shell:1")
			env, script, want := map[string]string{"bad name": "x", "": "y"}, "", ""
			for i, v := range hostileValues {
				key := fmt.Sprintf("CYTO_%d", i)
				env[key] = v
				script += fmt.Sprintf(`printf '[%%s]\n' "$%s";`, key)
				want += "[" + v + "]\n"
			}
			if out, errs, code := run(t, &b, Job{Container: c, Argv: []string{script}, Env: env}); out != want || code != 0 {
				t.Errorf("exit %d, %s\ngot  %q\nwant %q", code, errs, out, want)
			}
		})
	}
	t.Run("as arguments of a command that evaluates them", func(t *testing.T) {
		b := *a
		b.noEval = false
		c := ensure(t, a, cacheDir, host+"/lab/show:1")
		if out, errs, code := run(t, &b, Job{Container: c, Argv: hostileValues}); out != "["+strings.Join(hostileValues, "]\n[")+"]\n" || code != 0 {
			t.Errorf("exit %d, %s\ngot  %q", code, errs, out)
		}
	})
	t.Run("and nothing else does", func(t *testing.T) {
		t.Setenv("CYTOMINE_PRIVATE_KEY", "secret-of-the-user")
		t.Setenv("APPTAINERENV_LEAK", "x")
		t.Setenv("APPTAINER_BIND", "/etc:/leak")
		c := ensure(t, a, cacheDir, host+"/lab/shell:1")
		out, errs, _ := run(t, a, Job{Container: c, Argv: []string{"busybox env; busybox ls / "}})
		if strings.Contains(out, "secret-of-the-user") || strings.Contains(out, "LEAK") || strings.Contains(out, "leak") || !strings.Contains(out, "HOME=/home/run") {
			t.Errorf("%s\n%s", out, errs)
		}
	})
	t.Run("and its exit code comes back", func(t *testing.T) {
		c := ensure(t, a, cacheDir, host+"/lab/shell:1")
		if _, _, code := run(t, a, Job{Container: c, Argv: []string{"exit 7"}}); code != 7 {
			t.Errorf("exit code %d", code)
		}
		_, _, code := run(t, a, Job{Container: c, Argv: []string{"kill -KILL $$"}})
		if reason, own := Explain(code, ""); code != 137 || own || !strings.Contains(reason, "killed") {
			t.Errorf("exit code %d: %q", code, reason)
		}
	})
}

func TestRealDisksOfTheProgramAreLarge(t *testing.T) {
	a, busybox := installed(t)
	host := registryHost(t, nil)
	push(t, host+"/lab/shell:1", shell(t, busybox))
	c := ensure(t, a, folder(t), host+"/lab/shell:1")
	work := filepath.Join(folder(t), "work with space, comma")
	out, errs, code := run(t, a, Job{Container: c, WorkDir: work, Argv: []string{
		`set -e; busybox pwd; for d in "$HOME" /tmp /var/tmp; do busybox dd if=/dev/zero of=$d/big bs=1M count=200 2>/dev/null; busybox stat -c %s $d/big; done; busybox touch result`}})
	if want := "/home/run\n" + strings.Repeat("209715200\n", 3); out != want || code != 0 {
		t.Fatalf("exit %d: %q %s", code, out, errs)
	}
	if _, err := os.Stat(filepath.Join(work, "home", "result")); err != nil {
		t.Error("HOME does not lie below the work folder: ", err)
	}
}

func TestRealBindsAreSeen(t *testing.T) {
	a, busybox := installed(t)
	host := registryHost(t, nil)
	push(t, host+"/lab/shell:1", shell(t, busybox))
	c := ensure(t, a, folder(t), host+"/lab/shell:1")
	data := folder(t)
	if err := os.WriteFile(filepath.Join(data, "x"), []byte("seen"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, errs, _ := run(t, a, Job{Container: c, Binds: []string{data + ":/data:ro"}, Argv: []string{"busybox cat /data/x; busybox touch /data/y || echo read-only"}})
	if !strings.HasPrefix(out, "seen") || !strings.Contains(out, "read-only") {
		t.Errorf("%q %q", out, errs)
	}
	_, errs, code := run(t, a, Job{Container: c, Binds: []string{"/does/not/exist:/data"}, Argv: []string{"true"}})
	reason, own := Explain(code, errs)
	if !own || !strings.Contains(reason, "bind") {
		t.Errorf("exit %d %q is explained as %q, %v", code, errs, reason, own)
	}
}

func TestRealSIFFilesOfOtherOrigin(t *testing.T) {
	a, busybox := installed(t)
	dir := folder(t)
	tree := filepath.Join(dir, "tree")
	for _, n := range []string{"busybox", "sh"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(tree, "bin"), 0o755), os.WriteFile(filepath.Join(tree, "bin", n), busybox, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	// Whoever packs a folder gives it modes that others can use, whatever umask.
	err := filepath.WalkDir(tree, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chmod(path, 0o755))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.build(t.Context(), dir, "tree", "plain.sif", func(string) {}); err != nil {
		t.Fatal(err)
	}
	t.Run("one without a runscript runs its arguments", func(t *testing.T) {
		c := ensure(t, a, filepath.Join(dir, "cache"), filepath.Join(dir, "plain.sif"))
		if out, errs, _ := run(t, a, Job{Container: c, Argv: []string{"/bin/busybox", "printf", "%s", "$(id)"}}); out != "$(id)" {
			t.Errorf("%q %s", out, errs)
		}
		if !strings.HasPrefix(c.Digest, "sha256:") {
			t.Errorf("digest %q", c.Digest)
		}
	})
	t.Run("one with a runscript runs that", func(t *testing.T) {
		def := "Bootstrap: localimage\nFrom: plain.sif\n\n%runscript\n  printf '<%s>' own \"$@\"\n"
		if err := os.WriteFile(filepath.Join(dir, "own.def"), []byte(def), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := a.build(t.Context(), dir, "own.def", "own.sif", func(string) {}); err != nil {
			t.Skip("definition files cannot be built here: ", err)
		}
		c := ensure(t, a, filepath.Join(dir, "cache"), filepath.Join(dir, "own.sif"))
		if out, errs, _ := run(t, a, Job{Container: c, Argv: []string{"a b", "$(id)"}}); out != "<own><a b><$(id)>" {
			t.Errorf("%q %s", out, errs)
		}
	})
	t.Run("one of an image that an old command made runs its entrypoint", func(t *testing.T) {
		script := "OCI_ENTRYPOINT='\"/bin/busybox\" \"printf\" \"[%s]\"'\nOCI_CMD='\"default argument\"'\n" +
			"CMDLINE_ARGS=\"\"\nfor arg in \"$@\"; do\nCMDLINE_ARGS=\"${CMDLINE_ARGS} \\\"$arg\\\"\"\ndone\neval \"set ${OCI_ENTRYPOINT} ${CMDLINE_ARGS}\"\nexec \"$@\"\n"
		if err := os.WriteFile(filepath.Join(dir, "old.def"), []byte("Bootstrap: localimage\nFrom: plain.sif\n\n%runscript\n"+script), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := a.build(t.Context(), dir, "old.def", "old.sif", func(string) {}); err != nil {
			t.Skip("definition files cannot be built here: ", err)
		}
		c := ensure(t, a, filepath.Join(dir, "cache"), filepath.Join(dir, "old.sif"))
		if out, errs, _ := run(t, a, Job{Container: c, Argv: hostileValues}); out != "["+strings.Join(hostileValues, "][")+"]" {
			t.Errorf("%q %s", out, errs)
		}
		if out, errs, _ := run(t, a, Job{Container: c}); out != "[default argument]" {
			t.Errorf("%q %s", out, errs)
		}
	})
	t.Run("damaged ones are refused", func(t *testing.T) {
		good, err := os.ReadFile(filepath.Join(dir, "plain.sif"))
		if err != nil {
			t.Fatal(err)
		}
		broken := slices.Clone(good)
		copy(broken[len(broken)-len(broken)%4096-4096:], bytes.Repeat([]byte{0}, 4096)) // still opens: only its checksum tells
		super := slices.Clone(good)
		copy(super[bytes.Index(super, []byte("hsqs")):], "xxxx")
		for what, data := range map[string][]byte{"empty": nil, "cut at 100": good[:100], "cut at 20000": good[:20000], "cut short": good[:len(good)-5000], "text": []byte(strings.Repeat("no container\n", 1000)), "superblock": super} {
			path := filepath.Join(dir, "bad.sif")
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Ensure(t.Context(), filepath.Join(dir, "cache"), path, func(string) {}); !errors.Is(err, ErrDamaged) || !strings.HasSuffix(err.Error(), "get it again from where it came") {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
	t.Run("missing ones too", func(t *testing.T) {
		if _, err := a.Ensure(t.Context(), dir, "/no/such.sif", func(string) {}); err == nil || !strings.Contains(err.Error(), "no such file") {
			t.Error(err)
		}
	})
	t.Run("what docker saved runs as its entrypoint", func(t *testing.T) {
		tag, err := name.NewTag("lab/show:1")
		if err != nil {
			t.Fatal(err)
		}
		if err := tarball.WriteToFile(filepath.Join(dir, "saved.tar"), tag, show(t, busybox)); err != nil {
			t.Fatal(err)
		}
		c := ensure(t, a, filepath.Join(dir, "cache"), "docker-archive:"+filepath.Join(dir, "saved.tar"))
		if out, errs, _ := run(t, a, Job{Container: c, Argv: []string{"x"}}); out != "[x]\n" {
			t.Errorf("%q %s", out, errs)
		}
	})
	t.Run("a SIF from a registry is fetched as it is", func(t *testing.T) {
		host := registryHost(t, nil)
		data, err := os.ReadFile(filepath.Join(dir, "plain.sif"))
		if err != nil {
			t.Fatal(err)
		}
		img, err := mutate.AppendLayers(mutate.MediaType(mutate.ConfigMediaType(empty.Image, "application/vnd.sylabs.sif.config.v1+json"), types.OCIManifestSchema1),
			static.NewLayer(data, "application/vnd.sylabs.sif.layer.v1.sif"))
		if err != nil {
			t.Fatal(err)
		}
		push(t, host+"/lab/sif:1", img)
		c := ensure(t, a, filepath.Join(dir, "cache"), "oras://"+host+"/lab/sif:1")
		if got, err := os.ReadFile(c.Path); err != nil || !bytes.Equal(got, data) {
			t.Error("it is another file: ", err)
		}
	})
}

func TestRealCache(t *testing.T) {
	a, busybox := installed(t)
	var blobs atomic.Int64
	host := registryHost(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
				blobs.Add(1)
			}
			h.ServeHTTP(w, r)
		})
	})
	img := show(t, busybox)
	push(t, host+"/lab/show:1", img)
	dir := filepath.Join(folder(t), "cache: odd name")
	ref := "docker://" + host + "/lab/show:1"

	if _, _, ok := Cached(dir, ref); ok {
		t.Fatal("there before it was fetched")
	}
	var got lines
	c, err := a.Ensure(t.Context(), dir, ref, got.add)
	if err != nil {
		t.Fatal(err)
	}
	if d, _ := img.Digest(); c.Digest != d.String() {
		t.Errorf("digest %s, want %s", c.Digest, d)
	}
	if s := got.String(); !strings.Contains(s, "downloading layer 1 of 1") || !strings.Contains(s, "building the container") {
		t.Errorf("progress: %s", s)
	}
	c2, size, ok := Cached(dir, ref)
	if st, err := os.Stat(c.Path); !ok || c2 != c || err != nil || st.Size() != size {
		t.Errorf("Cached: %+v %d %v", c2, size, ok)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "tmp", "*")); len(left) > 0 {
		t.Errorf("layers stay: %v", left)
	}

	t.Run("is used without fetching again", func(t *testing.T) {
		before := blobs.Load()
		start := time.Now()
		ensure(t, a, dir, ref)
		t.Logf("cached: %v", time.Since(start))
		if blobs.Load() != before {
			t.Error("fetched again")
		}
	})
	t.Run("serves another name of the same image", func(t *testing.T) {
		before := blobs.Load()
		push(t, host+"/lab/show:latest", img)
		before = max(before, blobs.Load())
		if c3 := ensure(t, a, dir, host+"/lab/show:latest"); c3.Path != c.Path || blobs.Load() != before+1 && blobs.Load() != before {
			t.Errorf("%s, %d blobs more", c3.Path, blobs.Load()-before)
		}
	})
	t.Run("notices that a tag moved", func(t *testing.T) {
		push(t, host+"/lab/show:1", shell(t, busybox))
		if c3 := ensure(t, a, dir, ref); c3.Digest == c.Digest {
			t.Error("the old one is used")
		}
		push(t, host+"/lab/show:1", img)
		ensure(t, a, dir, ref)
	})
	t.Run("replaces a container that was changed", func(t *testing.T) {
		f, err := os.OpenFile(c.Path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		st, _ := f.Stat()
		if _, err := f.WriteAt([]byte("flipped"), st.Size()/2); err != nil {
			t.Fatal(err)
		}
		f.Close()
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(c.Path, later, later); err != nil {
			t.Fatal(err)
		}
		var got lines
		if _, err := a.Ensure(t.Context(), dir, ref, got.add); err != nil || !strings.Contains(got.String(), "damaged") {
			t.Fatal(err, got.String())
		}
		if out, errs, _ := run(t, a, Job{Container: c, Argv: []string{"x"}}); out != "[x]\n" {
			t.Errorf("%q %s", out, errs)
		}
	})
	t.Run("replaces one that was cut off", func(t *testing.T) {
		if err := os.Truncate(c.Path, 50000); err != nil {
			t.Fatal(err)
		}
		ensure(t, a, dir, ref)
		if err := checkSIF(c.Path); err != nil {
			t.Error(err)
		}
	})
	t.Run("serves when the registry is gone", func(t *testing.T) {
		m, ok := cache{dir}.meaning(ref)
		if !ok {
			t.Fatal("no meaning")
		}
		gone := "127.0.0.1:1/lab/show:1"
		m.Reference = gone
		if err := (cache{dir}).setMeaning(m); err != nil {
			t.Fatal(err)
		}
		var got lines
		if c3, err := a.Ensure(t.Context(), dir, gone, got.add); err != nil || c3.Path != c.Path || !strings.Contains(got.String(), "connection refused; using the container fetched before") {
			t.Error(c3, err, got.String())
		}
	})
	t.Run("needs no registry for a digest", func(t *testing.T) {
		exact := host + "/lab/show@" + c.Digest
		ensure(t, a, dir, exact)
		before := blobs.Load()
		ensure(t, a, dir, exact)
		if blobs.Load() != before {
			t.Error("asked again")
		}
	})
}

func TestRealTwoRunsPullOnce(t *testing.T) {
	a, busybox := installed(t)
	var blobs atomic.Int64
	host := registryHost(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
				blobs.Add(1)
			}
			h.ServeHTTP(w, r)
		})
	})
	img := show(t, busybox)
	push(t, host+"/lab/show:1", img)
	dir := folder(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := a.Ensure(t.Context(), dir, host+"/lab/show:1", func(string) {}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := blobs.Load(); n > 2 { // a layer and a configuration
		t.Errorf("%d blobs fetched", n)
	}
}

func TestRealFetchGoesOnAtWholeLayers(t *testing.T) {
	a, busybox := installed(t)
	var cut atomic.Bool
	var blobs atomic.Int64
	cut.Store(true)
	big, err := random.Layer(3<<20, types.DockerLayer)
	if err != nil {
		t.Fatal(err)
	}
	bigHash, err := big.Digest()
	if err != nil {
		t.Fatal(err)
	}
	bigSize, err := big.Size()
	if err != nil {
		t.Fatal(err)
	}
	small := layer(t, map[string][]byte{"bin/": nil, "bin/busybox": busybox})
	smallHash, err := small.Digest()
	if err != nil {
		t.Fatal(err)
	}
	dir := folder(t)
	have := func() bool {
		found, _ := filepath.Glob(filepath.Join(dir, "tmp", "*", "layout", "blobs", "sha256", smallHash.Hex))
		if len(found) == 0 {
			return false
		}
		data, err := os.ReadFile(found[0]) // a damaged one is not there
		return err == nil && fmt.Sprintf("%x", sha256.Sum256(data)) == smallHash.Hex
	}
	host := registryHost(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
				blobs.Add(1)
				if cut.Load() && strings.HasSuffix(r.URL.Path, bigHash.String()) {
					w.Header().Set("Content-Length", fmt.Sprint(bigSize))
					_, _ = w.Write(make([]byte, 1<<20))
					// Break the connection in the middle, when the other layer is
					// there.
					w.(http.Flusher).Flush()
					for end := time.Now().Add(10 * time.Second); !have() && time.Now().Before(end); {
						time.Sleep(5 * time.Millisecond)
					}
					return
				}
			}
			h.ServeHTTP(w, r)
		})
	})
	push(t, host+"/lab/two:1", testImage(t, v1.Config{Entrypoint: []string{"/bin/busybox", "echo"}}, small, big))
	ref := host + "/lab/two:1"
	if _, err := a.Ensure(t.Context(), dir, ref, func(string) {}); err == nil || strings.Contains(err.Error(), "\n") {
		t.Fatalf("a half layer was accepted, or the error is long: %v", err)
	}
	if _, _, ok := Cached(dir, ref); ok {
		t.Error("half a container is in the cache")
	}
	// A layer that is not what it was is fetched once more, one that is stays.
	kept, err := filepath.Glob(filepath.Join(dir, "tmp", "*", "layout", "blobs", "sha256", smallHash.Hex))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept %v %v", kept, err)
	}
	good, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(good)
	bad[len(bad)/2] ^= 1
	if err := os.WriteFile(kept[0], bad, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Ensure(t.Context(), dir, ref, func(string) {}); err == nil {
		t.Fatal("a half layer was accepted")
	}
	if now, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(now, good) {
		t.Errorf("a damaged layer is kept: %v", err)
	}
	cut.Store(false)
	before := blobs.Load()
	c := ensure(t, a, dir, ref)
	if n := blobs.Load() - before; n > 2 { // the big layer and the configuration
		t.Errorf("%d blobs fetched the second time", n)
	}
	if out, errs, _ := run(t, a, Job{Container: c, Argv: []string{"ok"}}); out != "ok\n" {
		t.Errorf("%q %s", out, errs)
	}
}

func TestRealEnsureStopsWhenCancelled(t *testing.T) {
	a, busybox := installed(t)
	release := make(chan struct{})
	started := make(chan struct{}, 10)
	host := registryHost(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
				started <- struct{}{}
				select {
				case <-release:
				case <-r.Context().Done():
				}
			}
			h.ServeHTTP(w, r)
		})
	})
	defer close(release)
	push(t, host+"/lab/show:1", show(t, busybox))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := a.Ensure(ctx, folder(t), host+"/lab/show:1", func(string) {})
		done <- err
	}()
	<-started
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("goes on")
	}
}

func TestRealCheckFindsNothingWrong(t *testing.T) {
	a, _ := installed(t)
	for _, p := range a.Check(t.Context(), folder(t)) {
		if p.Fatal {
			t.Errorf("%+v", p)
		} else {
			t.Logf("%+v", p)
		}
	}
}

func TestOrdinaryUser(t *testing.T) {
	out := asNobody(t, "^TestReal", "")
	if n := strings.Count(out, "--- PASS: TestReal"); n < 8 {
		t.Errorf("only %d tests passed\n%s", n, out)
	}
}

func TestOrdinaryUserWithoutFuse(t *testing.T) {
	// Another file in the place of the device, which this user may not open.
	out := asNobody(t, "^TestReal(BindsAreSeen|CheckFindsNothingWrong)", `f=$(mktemp) && mount --bind "$f" /dev/fuse && rm "$f" && exec "$@"`)
	if n := strings.Count(out, "--- PASS: TestReal"); n != 2 || !strings.Contains(out, "/dev/fuse cannot be opened") {
		t.Errorf("%d tests passed\n%s", n, out)
	}
}

// asNobody runs tests of this package as an ordinary user, who has an entry in
// the user database, as apptainer wants. prepare is shell code that runs before
// as root, in mounts of its own, and ends by starting "$@".
func asNobody(t *testing.T, tests, prepare string) (output string) {
	t.Helper()
	return asUser(t, 65534, tests, prepare)
}

// asUser is asNobody for any user. env is added to the environment.
func asUser(t *testing.T, uid int, tests, prepare string, env ...string) (output string) {
	t.Helper()
	installed(t)
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("needs setpriv (util-linux)")
	}
	dir := folder(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	tmp := filepath.Join(dir, "tmp")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "tests"), bin, 0o755), os.Mkdir(tmp, 0o700), os.Chown(tmp, uid, uid)); err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprint(uid)
	argv := []string{"setpriv", "--reuid", id, "--regid", id, "--clear-groups", filepath.Join(dir, "tests"), "-test.run", tests, "-test.v"}
	// Many people have this umask.
	argv = append([]string{"sh", "-c", `umask 077 && exec "$@"`, "sh"}, argv...)
	if prepare != "" {
		argv = append([]string{"unshare", "-m", "sh", "-c", prepare, "sh"}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = tmp
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + tmp, "TMPDIR=" + tmp, "LANG=C.UTF-8"}
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "unshare failed") {
		t.Skipf("needs mount namespaces: %s", out)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, l := range strings.Split(string(out), "\n") {
		if strings.Contains(l, "--- SKIP") {
			t.Log(l)
		}
	}
	return string(out)
}
