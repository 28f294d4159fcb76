package supervisor

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

// hub is a registry of containers that can be made to misbehave.
type hub struct {
	host  string
	fault atomic.Pointer[func(http.ResponseWriter, *http.Request, http.Handler) bool]
}

func (h *hub) breaks(f func(http.ResponseWriter, *http.Request, http.Handler) bool) {
	h.fault.Store(&f)
}

func newHub(t *testing.T) *hub {
	t.Helper()
	h := &hub{}
	good := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := h.fault.Load(); f == nil || *f == nil || !(*f)(w, r, good) {
			good.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(web.Close)
	h.host = strings.TrimPrefix(web.URL, "http://")
	return h
}

// push makes an image of the program of these tests, and its reference.
func (h *hub) push(t *testing.T, image, arch string, more ...v1.Layer) string {
	t.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("needs a static busybox (Debian: busybox-static)")
	}
	bin, err := os.ReadFile(busybox)
	must(t, err)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		name string
		data []byte
	}{{"bin/busybox", bin}, {"bin/sh", bin}, {"etc/passwd", nil}, {"etc/group", nil}, {"program", []byte(insideScript)}} {
		must(t, w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o755, Size: int64(len(f.data))}))
		_, err := w.Write(f.data)
		must(t, err)
	}
	must(t, w.Close())
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	must(t, err)
	img, err := mutate.AppendLayers(empty.Image, append(more, layer)...)
	must(t, err)
	config, err := img.ConfigFile()
	must(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Config = "linux", arch, v1.Config{Env: []string{"PATH=/bin"}}
	img, err = mutate.ConfigFile(img, config)
	must(t, err)
	ref, err := name.ParseReference(h.host+"/"+image, name.Insecure)
	must(t, err)
	must(t, remote.Write(ref, img))
	return h.host + "/" + image
}

// stored are the container files of this test.
func stored(t *testing.T) []string {
	t.Helper()
	paths, err := profile.DefaultPaths()
	must(t, err)
	found, err := filepath.Glob(filepath.Join(paths.Containers, "*.sif"))
	must(t, err)
	return found
}

// idle makes sure that nobody holds or waits for anything of the box.
func idle(t *testing.T) {
	t.Helper()
	if locked(t, filepath.Join(leases(), "slot-1")) {
		t.Error("a turn is taken")
	}
	if left := runner.Tickets(leases()); len(left) != 0 {
		t.Errorf("tickets are left: %v", left)
	}
}

func output(t *testing.T, run runner.Run) string {
	t.Helper()
	out, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	return string(out)
}

// What happens to the file of a container while its run waits for a turn.
func TestRealContainerThatIsDamagedInTheQueueIsFetchedAgain(t *testing.T) {
	container(t)
	for what, harm := range map[string]func(path string) error{
		"truncated": func(p string) error { return os.Truncate(p, 5000) },
		"deleted":   os.Remove,
		"bit flipped": func(p string) error {
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			data[len(data)/2] ^= 1
			return os.WriteFile(p, data, 0o700)
		},
		"replaced": func(p string) error {
			other := p + ".other"
			if err := os.WriteFile(other, []byte("no container"), 0o700); err != nil {
				return err
			}
			return os.Rename(other, p)
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := newSite(t)
			ref := newHub(t).push(t, "lab/tester:1", goruntime.GOARCH)
			words, end := until(t)
			s.running(s.launch(words))
			run := s.queued(s.launchInside(ref, "say hi"))
			files := stored(t)
			if len(files) != 1 {
				t.Fatalf("in the cache: %v", files)
			}
			must(t, harm(files[0]))
			end("0")
			run = s.ended(run, runner.Succeeded)
			if got := output(t, run); got != "hi\n" {
				t.Errorf("log %q", got)
			}
			if len(run.Result.Warnings) != 0 && strings.Contains(run.Result.Warnings[0], "container") {
				t.Errorf("warnings %v", run.Result.Warnings)
			}
			idle(t)
		})
	}
}

func TestRealContainerFileThatIsReplacedInTheQueueIsWhatRuns(t *testing.T) {
	first, second := container(t), container(t)
	s := newSite(t)
	// Two files of one program differ in when they were made.
	data, err := os.ReadFile(second)
	must(t, err)
	sum := sha256.Sum256(data)
	words, end := until(t)
	s.running(s.launch(words))
	run := s.queued(s.launchInside(first, "say hi"))
	must(t, os.Rename(second, first))
	end("0")
	run = s.ended(run, runner.Succeeded)
	if want := "sha256:" + hex.EncodeToString(sum[:]); run.Result.Digest != want {
		t.Errorf("digest %s, ran %s", run.Result.Digest, want)
	}
}

func TestRealContainerFileThatIsTouchedWhileItRuns(t *testing.T) {
	sif := container(t)
	s := newSite(t)
	for what, tt := range map[string]struct {
		touch func() error
		warns bool
	}{
		"written to": {func() error {
			f, err := os.OpenFile(sif, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteString("more")
			return err
		}, true},
		"replaced": {func() error {
			data, err := os.ReadFile(sif)
			if err != nil {
				return err
			}
			if err := os.WriteFile(sif+".new", data, 0o700); err != nil {
				return err
			}
			return os.Rename(sif+".new", sif)
		}, false},
	} {
		t.Run(what, func(t *testing.T) {
			run, started := s.running(s.launchInside(sif, "sleep"))
			must(t, tt.touch())
			must(t, syscall.Kill(started.PID, syscall.SIGTERM))
			run = s.ended(run, runner.Failed)
			if warned := strings.Contains(strings.Join(run.Result.Warnings, "\n"), "wrote into the container file "+sif); warned != tt.warns {
				t.Errorf("warnings %q", run.Result.Warnings)
			}
			s.noProcess(run, started)
		})
	}
}

func TestRealContainerWaitsForARegistryThatIsAway(t *testing.T) {
	container(t)
	s := newSite(t)
	h := newHub(t)
	ref := h.push(t, "lab/tester:1", goruntime.GOARCH)
	h.breaks(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	waits := func(words string) runner.Run {
		run := s.launchInside(ref, words)
		within(t, "the run waits for the registry", func() bool {
			now, err := runner.ReadFolder(run.Folder)
			return err == nil && now.State == runner.Queued && strings.Contains(now.Reason, "waiting for the registry: ") && strings.Contains(now.Reason, "503")
		})
		return run
	}
	run, other := waits("say hi"), waits("say bye")
	if locked(t, filepath.Join(leases(), "slot-1")) {
		t.Error("it has a turn while it waits for the registry")
	}
	s.ended(s.launch("say hi"), runner.Succeeded) // one that needs nothing of it goes first
	must(t, runner.RequestCancel(other.Folder, "ann"))
	began := time.Now()
	s.ended(other, runner.Cancelled)
	if took := time.Since(began); took > soon {
		t.Errorf("took %v", took)
	}
	h.breaks(nil)
	if got := output(t, s.ended(run, runner.Succeeded)); got != "hi\n" {
		t.Errorf("log %q", got)
	}
	idle(t)
}

// sent is what a registry that works sends.
func sent(r *http.Request, good http.Handler) []byte {
	rec := httptest.NewRecorder()
	good.ServeHTTP(rec, r)
	return rec.Body.Bytes()
}

// A supervisor that is killed while its container is built leaves nobody at work
// who could write into what the next one builds.
func TestRealContainerBeingBuiltWhenItsSupervisorIsKilled(t *testing.T) {
	container(t)
	s := newSite(t)
	large, err := random.Layer(12<<20, types.DockerLayer)
	must(t, err)
	ref := newHub(t).push(t, "lab/tester:1", goruntime.GOARCH, large)
	paths, err := profile.DefaultPaths()
	must(t, err)
	building := func() (pids []int) {
		for _, p := range runner.Processes() {
			cwd, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(p.PID), "cwd"))
			if err == nil && strings.HasPrefix(cwd, paths.Containers) {
				pids = append(pids, p.PID)
			}
		}
		return pids
	}
	run := s.launchInside(ref, "say hi")
	within(t, "the container is being built", func() bool { return len(building()) > 0 })
	kill(t, s.supervisor(run), syscall.SIGKILL)
	s.recover()
	if got := output(t, s.ended(run, runner.Succeeded)); got != "hi\n" {
		t.Errorf("log %q", got)
	}
	within(t, "nobody builds any more", func() bool { return len(building()) == 0 })
	if left, _ := filepath.Glob(filepath.Join(paths.Containers, "tmp", "*")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	idle(t)
}

// What a registry can do wrong. Each run says so, and the box is as before.
func TestRealContainerThatCannotBeHad(t *testing.T) {
	container(t)
	t.Setenv("CYTORUN_REGISTRY_WAIT", "0s")
	blob := func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/")
	}
	status := func(code int) func(http.ResponseWriter, *http.Request, http.Handler) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
			w.WriteHeader(code)
			return true
		}
	}
	for what, tt := range map[string]struct {
		arch  string
		fault func(http.ResponseWriter, *http.Request, http.Handler) bool
		says  string
		waits string // how long a registry that is away is waited for
	}{
		"it asks for a login":  {says: "cytorun container login 127.0.0.1:", fault: status(http.StatusUnauthorized), waits: "1h"},
		"it is away":           {says: "answered 503; try again later", fault: status(http.StatusServiceUnavailable)},
		"another architecture": {says: "it is for s390x", arch: "s390x", waits: "1h"},
		"it stops half-way": {says: "it broke the connection", fault: func(w http.ResponseWriter, r *http.Request, good http.Handler) bool {
			if !blob(r) {
				return false
			}
			answer := sent(r, good)
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
			_, _ = w.Write(answer[:len(answer)/2])
			return true
		}},
		"a wrong digest": {says: "sends other bytes than it promised", waits: "1h", fault: func(w http.ResponseWriter, r *http.Request, good http.Handler) bool {
			if !blob(r) {
				return false
			}
			answer := sent(r, good)
			answer[len(answer)/2] ^= 1
			_, _ = w.Write(answer)
			return true
		}},
	} {
		t.Run(what, func(t *testing.T) {
			s := newSite(t)
			if tt.waits != "" {
				t.Setenv("CYTORUN_REGISTRY_WAIT", tt.waits)
			}
			h := newHub(t)
			arch := tt.arch
			if arch == "" {
				arch = goruntime.GOARCH
			}
			ref := h.push(t, "lab/tester:1", arch)
			if tt.fault != nil {
				h.breaks(tt.fault)
			}
			run := s.ended(s.launchInside(ref, "say hi"), runner.Failed)
			if !strings.Contains(run.Reason, tt.says) || strings.Contains(run.Reason, "\n") {
				t.Errorf("reason %q", run.Reason)
			}
			t.Log(run.Reason)
			if left := stored(t); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
			paths, err := profile.DefaultPaths()
			must(t, err)
			half, _ := filepath.Glob(filepath.Join(paths.Containers, "tmp", "*", "layout", "blobs", "sha256", "part-*"))
			if len(half) != 0 {
				t.Errorf("left: %v", half)
			}
			if job := s.job(); job.status != 4 {
				t.Errorf("server has %+v", job)
			}
			idle(t)
		})
	}
}
