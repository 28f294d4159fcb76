package apptainer

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofrs/flock"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func TestRealListAndPrune(t *testing.T) {
	a, busybox := installed(t)
	var broken, there atomic.Value
	host := registryHost(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if digest, ok := broken.Load().(string); ok && strings.HasSuffix(r.URL.Path, digest) {
				// Not before the other layer is whole.
				for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
					if found, _ := filepath.Glob(there.Load().(string)); len(found) > 0 {
						break
					}
				}
				w.WriteHeader(http.StatusNotFound)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	push(t, host+"/lab/one:1", shell(t, busybox))
	push(t, host+"/lab/two:1", show(t, busybox))
	push(t, host+"/lab/same:1", shell(t, busybox))
	dir := folder(t)
	if s, p, err := List(filepath.Join(dir, "nothing")); len(s)+len(p) != 0 || err != nil {
		t.Error(s, p, err)
	}
	one := ensure(t, a, dir, host+"/lab/one:1")
	ensure(t, a, dir, host+"/lab/two:1")
	ensure(t, a, dir, host+"/lab/same:1")
	// A fetch that gets one layer of two.
	good, _ := random.Layer(1<<20, types.DockerLayer)
	bad, _ := random.Layer(1<<20, types.DockerLayer)
	push(t, host+"/lab/cut:1", testImage(t, v1.Config{Cmd: []string{"x"}}, good, bad))
	digest, _ := bad.Digest()
	kept, _ := good.Digest()
	there.Store(filepath.Join(dir, "tmp", "*", "layout", "blobs", "sha256", kept.Hex))
	broken.Store(digest.String())
	if _, err := a.Ensure(t.Context(), dir, host+"/lab/cut:1", func(string) {}); err == nil {
		t.Fatal("a layer that is not there was fetched")
	}
	stored, partials, err := List(dir)
	if err != nil || len(stored) != 2 || len(partials) != 1 {
		t.Fatalf("%+v %+v %v", stored, partials, err)
	}
	first := stored[0]
	if first.Digest != one.Digest || first.Path != one.Path || !slices.Equal(first.References, []string{host + "/lab/one:1", host + "/lab/same:1"}) ||
		first.Arch == "" || first.Size == 0 || time.Since(first.LastUsed) > time.Minute || first.Fetched.After(first.LastUsed) || !first.LastUsed.After(stored[1].LastUsed) {
		t.Errorf("%+v", first)
	}
	if p := partials[0]; p.Size < 1<<20 || p.Busy || !slices.Equal(p.References, []string{host + "/lab/cut:1"}) {
		t.Errorf("%+v", p)
	}

	// What is being fetched stays.
	busy := flock.New(cache{dir}.lockPath(stored[1].Digest))
	if ok, err := busy.TryLock(); !ok || err != nil {
		t.Fatal(err)
	}
	all, layers := func(Stored) bool { return true }, func(Partial) bool { return true }
	if done, err := Prune(dir, func(Stored) bool { return false }, func(Partial) bool { return false }); err != nil || done.Freed != 0 {
		t.Errorf("%+v %v", done, err)
	}
	done, err := Prune(dir, func(s Stored) bool { return s.Digest != one.Digest }, layers)
	if err != nil || len(done.Containers) != 0 || len(done.Partials) != 1 || done.Freed < 1<<20 {
		t.Errorf("%+v %v", done, err)
	}
	_ = busy.Unlock()
	done, err = Prune(dir, all, layers)
	if err != nil || len(done.Containers) != 2 || done.Freed != stored[0].Size+stored[1].Size {
		t.Errorf("%+v %v", done, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 3 {
		t.Errorf("left %v", left)
	}
	for _, pattern := range []string{"tmp/*", "refs/*"} {
		if left, _ := filepath.Glob(filepath.Join(dir, pattern)); len(left) > 1 { // the name of the one that was cut off
			t.Errorf("left %v", left)
		}
	}
	if _, _, ok := Cached(dir, host+"/lab/one:1"); ok {
		t.Error("what was removed is here")
	}
	ensure(t, a, dir, host+"/lab/one:1")
}

func TestRealAContainerThatRunsOutlivesItsFile(t *testing.T) {
	a, busybox := installed(t)
	host := registryHost(t, nil)
	push(t, host+"/lab/shell:1", shell(t, busybox))
	dir := folder(t)
	j := Job{
		Container: ensure(t, a, dir, host+"/lab/shell:1"), WorkDir: filepath.Join(folder(t), "work"),
		Argv: []string{"busybox touch here; until [ -e go ]; do busybox sleep 0.02; done; busybox echo fine"},
	}
	if err := j.Prepare(); err != nil {
		t.Fatal(err)
	}
	argv, env := a.Command(j)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = env
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(j.WorkDir, "home")
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(home, "here")); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the container does not start")
		}
	}
	if done, err := Prune(dir, func(Stored) bool { return true }, func(Partial) bool { return true }); err != nil || len(done.Containers) != 1 {
		t.Errorf("%+v %v", done, err)
	}
	ensure(t, a, dir, host+"/lab/shell:1") // another file in its place
	if err := os.WriteFile(filepath.Join(home, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || out.String() != "fine\n" {
		t.Errorf("%v %q", err, out.String())
	}
}

func TestLayersThatNobodyWaitsForGoByThemselves(t *testing.T) {
	dir := t.TempDir()
	c := cache{dir}
	old, young := strings.Repeat("a", 64), strings.Repeat("b", 64)
	for _, d := range []string{old, young} {
		if err := os.MkdirAll(filepath.Join(dir, "tmp", d, "layout"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-staleAfter - time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "tmp", old), long, long); err != nil {
		t.Fatal(err)
	}
	unlock, _ := c.lock("sha256:" + old)
	c.sweep()
	if len(c.partials(nil)) != 2 {
		t.Error("layers that are being fetched are gone")
	}
	unlock()
	c.sweep()
	if left := c.partials(nil); len(left) != 1 || left[0].Digest != "sha256:"+young {
		t.Errorf("%+v", left)
	}
}

func TestRealModelsOutliveARun(t *testing.T) {
	a, busybox := installed(t)
	host := registryHost(t, nil)
	push(t, host+"/lab/shell:1", shell(t, busybox))
	c := ensure(t, a, folder(t), host+"/lab/shell:1")
	w := Weights{Dir: filepath.Join(folder(t), "my weights"), More: []string{"/opt/models"}}
	places := []string{"/tmp/models", "$HOME/.cellpose", "$HOME/.keras", "$HOME/.cache/torch", "$HOME/.cache/huggingface", "/opt/models"}
	script := "set -e;"
	for _, p := range places {
		script += `[ ! -e "` + p + `/x" ] || busybox cat "` + p + `/x"; echo -n "` + p + `;" >"` + p + `/x";`
	}
	out, errs, code := run(t, a, Job{Container: c, Weights: w, Argv: []string{script}})
	if out != "" || code != 0 {
		t.Fatalf("exit %d: %q %s", code, out, errs)
	}
	out, errs, code = run(t, a, Job{Container: c, Weights: w, Argv: []string{script}})
	if want := strings.ReplaceAll(strings.Join(places, ";")+";", "$HOME", HomeInside); out != want || code != 0 {
		t.Fatalf("exit %d: %q %s", code, out, errs)
	}
}

func TestRealLimitsHoldOrAreRefused(t *testing.T) {
	a, busybox := installed(t)
	host := registryHost(t, nil)
	push(t, host+"/lab/shell:1", shell(t, busybox))
	c := ensure(t, a, folder(t), host+"/lab/shell:1")
	j := Job{Container: c, Memory: 64 << 20, CPUs: 0.5, Argv: []string{"busybox dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null; echo $?"}}
	why := a.Limits()
	out, errs, code := run(t, a, j)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if why == nil {
		if out != "137\n" {
			t.Errorf("200 MB fit into 64: %q %s", out, errs)
		}
		return
	}
	t.Log(why)
	if out != "0\n" || strings.Contains(why.Error(), "\n") || !strings.HasPrefix(why.Error(), "memory and processors of a container cannot be limited here: ") {
		t.Errorf("%q %v", out, why)
	}
}

func TestLimitsOfAnOldCommand(t *testing.T) {
	a := &Apptainer{Name: "singularity", Version: "3.8.7"}
	if err := a.Limits(); err == nil || !strings.Contains(err.Error(), "singularity 3.8.7 is too old") {
		t.Error(err)
	}
	argv, _ := a.Command(Job{Container: Container{Path: "/x.sif"}, WorkDir: "/w", Memory: 1, CPUs: 1})
	if slices.Contains(argv, "--memory") || slices.Contains(argv, "--no-eval") {
		t.Errorf("%q", argv)
	}
}

func TestRealSiteCacheIsReadOnly(t *testing.T) {
	a, busybox := installed(t)
	host := registryHost(t, nil)
	push(t, host+"/lab/shell:1", shell(t, busybox))
	push(t, host+"/lab/show:1", show(t, busybox))
	site, mine := folder(t), filepath.Join(folder(t), "mine")
	c := ensure(t, a, site, host+"/lab/shell:1")
	config := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "cytorun", "config.toml")
	if err := errors.Join(os.MkdirAll(filepath.Dir(config), 0o755), os.WriteFile(config, []byte("[containers]\nsite = \""+site+"\"\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	record, err := os.ReadFile(cache{site}.recordPath(c.Digest))
	if err != nil {
		t.Fatal(err)
	}
	said := &lines{}
	for range 2 {
		got, err := a.Ensure(t.Context(), mine, host+"/lab/shell:1", said.add)
		if err != nil || got.Path != c.Path || got.Digest != c.Digest {
			t.Errorf("%+v %v", got, err)
		}
	}
	if got, _, ok := Cached(mine, host+"/lab/shell:1"); !ok || got.Path != c.Path {
		t.Errorf("%+v", got)
	}
	if got := ensure(t, a, mine, host+"/lab/show:1"); !strings.HasPrefix(got.Path, mine) {
		t.Errorf("%+v", got)
	}
	// One that was not looked at for a week is read once, not each time.
	r := strings.NewReplacer(time.Now().UTC().Format("2006-01-02"), "2020-01-01")
	if err := os.WriteFile(cache{site}.recordPath(c.Digest), []byte(r.Replace(string(record))), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got, err := a.Ensure(t.Context(), mine, host+"/lab/shell:1", said.add); err != nil || got.Path != c.Path {
			t.Errorf("%+v %v", got, err)
		}
	}
	if n := strings.Count(said.String(), "checking"); n != 1 {
		t.Errorf("checked %d times", n)
	}
	if left, _ := filepath.Glob(filepath.Join(mine, "*.sif")); len(left) != 1 {
		t.Errorf("fetched %v", left)
	}
	// A damaged file of the site is not run.
	if err := os.Truncate(c.Path, 5000); err != nil {
		t.Fatal(err)
	}
	if got := ensure(t, a, mine, host+"/lab/shell:1"); !strings.HasPrefix(got.Path, mine) {
		t.Errorf("%+v", got)
	}
}

func TestAFileThatRotsIsNotRun(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.sif")
	write := func(content string) {
		t.Helper()
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		if err := errors.Join(os.WriteFile(path, []byte(content), 0o644), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	c := cache{filepath.Join(dir, "cache")}
	write("content")
	said := &lines{}
	digest, err := c.local(path, path, said.add)
	if err != nil {
		t.Fatal(err)
	}
	write("cOntent")
	if again, err := c.local(path, path, said.add); again != digest || err != nil {
		t.Error(again, err)
	}
	m, _ := c.meaning(path)
	m.Schema, m.Resolved = schema, time.Now().Add(-recheck-time.Hour)
	if err := writeJSON(c.meaningPath(path), m); err != nil {
		t.Fatal(err)
	}
	if _, err := c.local(path, path, said.add); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	write("content")
	if again, err := c.local(path, path, said.add); again != digest || err != nil {
		t.Error(again, err)
	}
	if m, _ := c.meaning(path); time.Since(m.Resolved) > time.Minute {
		t.Error("a file that was just read will be read again")
	}
}
