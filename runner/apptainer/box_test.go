package apptainer

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apptainer/apptainer/pkg/util/apptainerconf"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// own gives a test XDG folders of its own.
func own(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for _, x := range []string{"CONFIG", "DATA", "STATE", "CACHE"} {
		t.Setenv("XDG_"+x+"_HOME", filepath.Join(dir, x))
	}
}

func TestACommandIsAskedOncePerBox(t *testing.T) {
	own(t)
	bin := t.TempDir()
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	asked := filepath.Join(bin, "asked")
	conf := filepath.Join(bin, "conf")
	script := func(version string) string {
		return fmt.Sprintf("#!/bin/sh\necho \"$*\" >>%s\ncase $1 in\n--version) echo apptainer version %s ;;\nbuildcfg) echo LIBEXECDIR=%s; echo APPTAINER_CONF_FILE=%s ;;\nesac\n", asked, version, bin, conf)
	}
	path := filepath.Join(bin, "apptainer")
	write := func(version string, at time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, []byte(script(version)), 0o755), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	find := func() *Apptainer {
		t.Helper()
		a, err := Find()
		if err != nil || a.Path != path {
			t.Fatal(a, err)
		}
		return a
	}
	write("1.4.5-2", time.Now().Add(-time.Hour))
	for range 3 {
		if a := find(); a.Version != "1.4.5" || a.conf != conf || !a.noEval || a.suid || a.Kind() != "apptainer 1.4.5, unprivileged" {
			t.Errorf("%+v", a)
		}
	}
	if b, _ := os.ReadFile(asked); string(b) != "--version\nbuildcfg\n" {
		t.Errorf("asked %q", b)
	}
	// Another version in its place.
	write("1.0.3", time.Now())
	if a := find(); a.Version != "1.0.3" || a.noEval || a.limits {
		t.Errorf("%+v", a)
	}
	// An answer that somebody damaged is asked for again.
	if err := os.WriteFile(probeFile(path), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := find(); a.Version != "1.0.3" {
		t.Errorf("%+v", a)
	}
}

func TestHowACommandWasBuilt(t *testing.T) {
	lib := t.TempDir()
	starter := filepath.Join(lib, "singularity", "bin", "starter-suid")
	if err := errors.Join(os.MkdirAll(filepath.Dir(starter), 0o755), os.WriteFile(starter, nil, 0o755), os.Chmod(starter, 0o755|os.ModeSetuid)); err != nil {
		t.Fatal(err)
	}
	var p probed
	p.buildcfg("PACKAGE_NAME=singularity\nLIBEXECDIR=" + lib + "\nSINGULARITY_CONF_FILE=/usr/local/etc/singularity/singularity.conf\nSINGULARITY_SUID_INSTALL=1\nnonsense\n")
	if !p.SUID || p.Conf != "/usr/local/etc/singularity/singularity.conf" {
		t.Errorf("%+v", p)
	}
	p = probed{}
	p.buildcfg("LIBEXECDIR=" + lib + "\nAPPTAINER_CONF_FILE=relative\n")
	if p.SUID || p.Conf != "" {
		t.Errorf("%+v", p)
	}
}

func TestACommandThatDoesNotWorkIsToldWithItsReason(t *testing.T) {
	own(t)
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	if _, err := Find(); err == nil {
		t.Skip("there is one in /opt/apptainer")
	}
	said := `#!/bin/sh
printf "\033[31mFATAL:  \033[0m Couldn't determine user account information: user: unknown userid 20001\n" >&2
exit 255
`
	if err := os.WriteFile(filepath.Join(bin, "apptainer"), []byte(said), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Find()
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "the user running this has no entry in the user database (FATAL:   Couldn't") {
		t.Error(err)
	}
}

func TestOtherProgramsForContainersAreNamed(t *testing.T) {
	own(t)
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	for _, c := range []struct{ command, says string }{{"", "doctor --install'"}, {"docker", "docker is here but does not help"}, {"podman", "podman is here but does not help"}} {
		if c.command != "" {
			if err := os.WriteFile(filepath.Join(bin, c.command), []byte("#!/bin/sh\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		err := missing()
		if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", c.command, err)
		}
	}
}

func TestWhatASiteForbids(t *testing.T) {
	anna := person{name: "anna", groups: []string{"users", "lab"}}
	for _, c := range []struct {
		name, conf string
		suid       bool
		me         person
		containers string
		says       []string
		fatal      bool
	}{
		{name: "nothing", me: anna},
		{name: "nothing to root", conf: "allow container sif = no\nuser bind control = no\n", me: person{root: true}},
		{name: "SIF files", conf: "allow container sif = no\n", me: anna, says: []string{"forbids SIF files", "/etc/a.conf"}, fatal: true},
		{name: "user namespaces", conf: "allow user ns = no\n", me: anna, says: []string{"user namespaces"}, fatal: true},
		{name: "user namespaces, which a setuid starter does not need", conf: "allow user ns = no\n", suid: true, me: anna},
		{name: "other places", conf: "limit container paths = /srv/sif, /opt/sif\n", suid: true, me: anna, containers: "/home/anna/.cache", says: []string{"only containers in /srv/sif, /opt/sif"}, fatal: true},
		{name: "other places than ours", conf: "limit container paths = /srv/sif, /opt/sif\n", suid: true, me: anna, containers: "/opt/sif/anna"},
		{name: "a place that only looks like ours", conf: "limit container paths = /srv/sif\n", suid: true, me: anna, containers: "/srv/sif2", says: []string{"/srv/sif"}, fatal: true},
		{name: "other places, without the means", conf: "limit container paths = /srv/sif\n", me: anna, containers: "/home"},
		{name: "other owners", conf: "limit container owners = root, bob\n", suid: true, me: anna, says: []string{"belong to root, bob"}, fatal: true},
		{name: "other owners than us", conf: "limit container owners = root, anna\n", suid: true, me: anna},
		{name: "other groups", conf: "limit container groups = admins\n", suid: true, me: anna, says: []string{"groups admins"}, fatal: true},
		{name: "other groups than ours", conf: "limit container groups = admins, lab\n", suid: true, me: anna},
		{name: "folders", conf: "user bind control = no\n", me: anna, says: []string{"64 MB"}},
		{name: "overlays", conf: "enable overlay = no\nenable underlay = no\n", me: anna, says: []string{"none of that name"}},
		{name: "no tmp", conf: "mount tmp = no\n", me: anna, says: []string{"no /tmp"}},
		{name: "all GPUs to all", conf: "always use nv = yes\n", me: anna, says: []string{"GPUs"}},
		{name: "settings that nobody knows", conf: "some new thing = yes\n", me: anna},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := apptainerconf.GetDirectives(strings.NewReader(c.conf))
			if err != nil {
				t.Fatal(err)
			}
			conf, err := apptainerconf.GetConfig(d)
			if err != nil {
				t.Fatal(err)
			}
			got := forbidden(conf, "/etc/a.conf", c.suid, c.me, c.containers)
			if len(got) > 1 || (len(got) == 1) != (len(c.says) > 0) {
				t.Fatalf("%+v", got)
			}
			for _, s := range c.says {
				if p := got[0]; !strings.Contains(p.What, s) || p.Fatal != c.fatal || p.Fix == "" || strings.Contains(p.What, "\n") {
					t.Errorf("%+v does not say %q", p, s)
				}
			}
		})
	}
	bad := filepath.Join(t.TempDir(), "a.conf")
	if err := os.WriteFile(bad, []byte("allow user ns = perhaps\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := (&Apptainer{conf: bad}).Forbidden(""); len(got) != 1 || got[0].Fatal || !strings.Contains(got[0].What, bad) {
		t.Errorf("%+v", got)
	}
	if got := (&Apptainer{conf: bad + "x"}).Forbidden("/x"); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// lockedRegistry is one that only lets in who has a password.
func lockedRegistry(t *testing.T, user, password string) string {
	return registryHost(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if u, p, ok := r.BasicAuth(); !ok || u != user || p != password {
				w.Header().Set("WWW-Authenticate", `Basic realm="lab"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
}

func TestLoginKeepsKeysForThisUserOnly(t *testing.T) {
	own(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("APPTAINER_CONFIGDIR", "")
	host := lockedRegistry(t, "anna", "s:e c/ret")
	file := filepath.Join(home, ".apptainer", "docker-config.json")
	ref := host + "/lab/app:1"
	if _, err := Need(t.Context(), t.TempDir(), ref); !errors.Is(err, ErrLogin) || !strings.Contains(err.Error(), "cytorun container login "+host) {
		t.Errorf("%v", err)
	}
	for _, c := range []struct{ user, password, says string }{{"anna", "wrong", "does not know"}, {"", "x", "needs a user"}, {"x", "", "needs a user"}} {
		err := Login(t.Context(), host, c.user, c.password)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "wrong") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v", err)
		}
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Error("keys that are wrong are kept")
	}
	// What others wrote stays.
	before := `{"auths":{"other.example":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("o:p")) + `"}},"credHelpers":{"x":"y"}}`
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(before), 0o644)); err != nil {
		t.Fatal(err)
	}
	if err := Login(t.Context(), "docker://"+host+"/lab", "anna", "s:e c/ret"); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	st, serr := os.Stat(file)
	if err != nil || serr != nil || st.Mode().Perm() != 0o600 || !strings.Contains(string(data), "other.example") || !strings.Contains(string(data), "credHelpers") {
		t.Errorf("%v %v %s", err, st.Mode(), data)
	}
	if _, err := Need(t.Context(), t.TempDir(), ref); !errors.Is(err, ErrNoImage) {
		t.Errorf("after the login: %v", err)
	}
	if had, err := Logout(host); !had || err != nil {
		t.Error(had, err)
	}
	if had, err := Logout(host); had || err != nil {
		t.Error(had, err)
	}
	if _, err := Need(t.Context(), t.TempDir(), ref); !errors.Is(err, ErrLogin) {
		t.Errorf("after the logout: %v", err)
	}
	for _, bad := range []string{"", "a b", "http://", "ü"} {
		if err := Login(t.Context(), bad, "u", "p"); err == nil {
			t.Errorf("%q is a registry", bad)
		}
	}
	if err := os.WriteFile(file, []byte("not json"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Login(t.Context(), host, "anna", "s:e c/ret"); err == nil || !strings.Contains(err.Error(), "nothing is changed") {
		t.Error(err)
	}
	if err := Login(t.Context(), "127.0.0.1:1", "u", "p"); !errors.Is(err, ErrRegistry) {
		t.Error(err)
	}
}

func TestNeedCountsWhatIsNotHere(t *testing.T) {
	own(t)
	t.Setenv("HOME", t.TempDir())
	host := registryHost(t, nil)
	var layers []v1.Layer
	var sizes []int64
	var first v1.Hash
	for i := range 3 {
		l, err := random.Layer(int64(i+1)<<20, types.DockerLayer)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := l.Size()
		if i == 0 {
			first, _ = l.Digest()
		}
		layers, sizes = append(layers, l), append(sizes, n)
	}
	push(t, host+"/lab/app:1", testImage(t, v1.Config{Cmd: []string{"x"}}, layers...))
	dir := t.TempDir()
	total := sizes[0] + sizes[1] + sizes[2]
	room, err := Need(t.Context(), dir, host+"/lab/app:1")
	if err != nil || room.Download != total || room.Containers <= total || room.Tmp <= 3*total || room.Stays <= 0 {
		t.Errorf("%+v %v, layers %d", room, err, total)
	}
	places, err := room.Places(t.Context(), dir, "")
	if err != nil || len(places) != 1 || places[0].Need != room.Containers+room.Tmp || places[0].Left() <= 0 {
		t.Errorf("%+v %v", places, err)
	}
	places, err = room.Places(t.Context(), dir, "/proc/self")
	if err != nil || len(places) != 2 || places[0].Need != room.Containers || places[1].Need != room.Tmp {
		t.Errorf("%+v %v", places, err)
	}
	blobs := filepath.Join(dir, "tmp", strings.Repeat("a", 64), "layout", "blobs", "sha256")
	if err := errors.Join(os.MkdirAll(blobs, 0o700), os.WriteFile(filepath.Join(blobs, first.Hex), nil, 0o600), os.Truncate(filepath.Join(blobs, first.Hex), sizes[0])); err != nil {
		t.Fatal(err)
	}
	if room, err := Need(t.Context(), dir, host+"/lab/app:1"); err != nil || room.Download != total-sizes[0] {
		t.Errorf("%+v %v", room, err)
	}
	if room, err := Need(t.Context(), dir, "docker-archive:"+filepath.Join(blobs, first.Hex)); err != nil || room.Download != 0 || room.Containers != sizes[0] {
		t.Errorf("%+v %v", room, err)
	}
	if room, err := Need(t.Context(), dir, "/no/such.sif"); err != nil || room != (Room{}) {
		t.Errorf("%+v %v", room, err)
	}
	var tags *TagError
	if _, err := Need(t.Context(), dir, host+"/lab/app"); !errors.As(err, &tags) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Need(ctx, dir, host+"/lab/app:1"); err == nil {
		t.Error("no error after the end")
	}
}

func TestTmpIsPassedOn(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "apptainer")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nenv >env\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("APPTAINER_TMPDIR", "/of/the/user")
	t.Setenv("APPTAINER_CACHEDIR", "/of/the/user")
	a := &Apptainer{Path: script, Name: "apptainer", Version: "1.4.5", Tmp: filepath.Join(dir, "tmp"), Cache: filepath.Join(dir, "cache")}
	if err := a.build(t.Context(), dir, "x", "y", func(string) {}); err != nil {
		t.Fatal(err)
	}
	env, err := os.ReadFile(filepath.Join(dir, "env"))
	if err != nil || !strings.Contains(string(env), "APPTAINER_TMPDIR="+a.Tmp+"/cytorun-build-") || !strings.Contains(string(env), "APPTAINER_CACHEDIR="+a.Cache+"\n") || strings.Contains(string(env), "/of/the/user") {
		t.Errorf("%s %v", env, err)
	}
	if left, _ := os.ReadDir(a.Tmp); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	// What a build left that was killed goes when it is old and nobody builds it.
	young, busy, old := strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("c", 64)
	for _, hex := range []string{young, busy, old} {
		dir := filepath.Join(a.Tmp, buildPrefix+hex)
		if err := os.MkdirAll(filepath.Join(dir, "rootfs"), 0o700); err != nil {
			t.Fatal(err)
		}
		if at := time.Now().Add(-48 * time.Hour); hex != young {
			if err := os.Chtimes(dir, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := cache{filepath.Join(dir, "containers")}
	unlock, ok := c.lock("sha256:" + busy)
	if !ok {
		t.Fatal("no lock")
	}
	a.sweepTmp(c)
	unlock()
	if left, _ := filepath.Glob(filepath.Join(a.Tmp, "*")); len(left) != 2 {
		t.Errorf("left: %v", left)
	}
	a.Tmp, a.Cache = "", ""
	if err := a.build(t.Context(), dir, "x", "y", func(string) {}); err != nil {
		t.Fatal(err)
	}
	if env, _ := os.ReadFile(filepath.Join(dir, "env")); !strings.Contains(string(env), "APPTAINER_TMPDIR=/of/the/user\n") {
		t.Errorf("%s", env)
	}
}

func TestWeightsAreNamedFlat(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "weights")
	binds, err := Weights{Dir: dir, More: []string{"/opt/models/", "~/.x"}}.binds()
	if err != nil || !slices.Contains(binds, dir+"/opt%models:/opt/models") || !slices.Contains(binds, dir+"/home%run%.x:/home/run/.x") || !slices.Contains(binds, dir+"/tmp%models:/tmp/models") {
		t.Errorf("%q %v", binds, err)
	}
	for _, bad := range []Weights{{Dir: "relative"}, {Dir: "/a:b"}, {Dir: "/a,b"}, {Dir: dir, More: []string{"relative"}}, {Dir: dir, More: []string{"/"}}, {Dir: dir, More: []string{"~/"}}, {Dir: dir, More: []string{"/a:b"}}} {
		if err := (Job{WorkDir: t.TempDir(), Weights: bad}).Prepare(); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if binds, err := (Weights{More: []string{"/x"}}).binds(); binds != nil || err != nil {
		t.Error(binds, err)
	}
}

func TestRegistryNames(t *testing.T) {
	for s, want := range map[string]string{"ghcr.io": "ghcr.io", "docker.io": name.DefaultRegistry, "docker://ghcr.io/lab/x": "ghcr.io", "oras://h:5000": "h:5000"} {
		if r, err := registryOf(s); err != nil || r.RegistryStr() != want {
			t.Errorf("%s: %s %v", s, r, err)
		}
	}
}

func FuzzBuildcfg(f *testing.F) {
	f.Add("LIBEXECDIR=/usr\nAPPTAINER_CONF_FILE=/etc/apptainer.conf\n", "allow user ns = no\nlimit container paths = /a\n")
	f.Fuzz(func(t *testing.T, cfg, conf string) {
		var p probed
		p.buildcfg(cfg)
		if p.Conf != "" && !filepath.IsAbs(p.Conf) {
			t.Errorf("%q", p.Conf)
		}
		d, err := apptainerconf.GetDirectives(strings.NewReader(conf))
		if err != nil {
			return
		}
		if c, err := apptainerconf.GetConfig(d); err == nil {
			for _, problem := range forbidden(c, "/f", true, person{name: "a"}, "/x") {
				if strings.ContainsAny(problem.What, "\n\x1b") {
					t.Errorf("%q", problem.What)
				}
			}
		}
	})
}

func TestABuildThatFailsIsToldInOneLine(t *testing.T) {
	for _, c := range []struct {
		output string
		is     error
		says   string
	}{
		{"INFO: x\nFATAL:   While performing build: write /x: no space left on device\n", ErrDisk, "free some"},
		{"mksquashfs: write failed because Disk quota exceeded\n", ErrDisk, "in your quota"},
		{"INFO: x\nFATAL:   While performing build: \x1b[31mbad\x1b[0m layer\n", nil, "bad layer"},
		{"first\nlast words\n", nil, "last words"},
		{"", nil, "exit status 7"},
	} {
		err := buildError(errors.New("exit status 7"), c.output)
		if c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%q is told as %q", c.output, err)
		}
	}
}
