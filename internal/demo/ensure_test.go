package demo

import (
	"context"
	"flag"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/servers"
)

// serve is the subcommand of the same name, as far as Ensure needs it.
func serve(args []string) int {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	dir := flags.String("data", "", "")
	address := flags.String("listen", "", "")
	idle := flags.Duration("idle-exit", 0, "")
	flags.Bool("demo", false, "")
	_ = flags.Parse(args)
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ln, err := net.Listen("tcp", *address)
	if err == nil {
		exe, _ := os.Executable()
		err = Serve(ctx, *dir, exe, ln, *idle, log)
	}
	if err != nil {
		log.Error(err.Error())
		return 1
	}
	return 0
}

// home gives a test its own folders and ends the server that it leaves.
func home(t *testing.T) profile.Paths {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"CONFIG", "DATA", "STATE", "CACHE"} {
		t.Setenv("XDG_"+name+"_HOME", filepath.Join(dir, name))
	}
	p, err := profile.DefaultPaths()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(p.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filled(t), DataFolder(p)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c, err := readConnection(DataFolder(p)); err == nil && c.PID > 0 {
			if err := c.stop(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	return p
}

func timeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// lines collects what Ensure says.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) say(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, line)
}

func (l *lines) String() string { return strings.Join(l.all, "\n") }

func ensure(t *testing.T, p profile.Paths, exe string) (Site, string) {
	t.Helper()
	var said lines
	site, err := Ensure(timeout(t), p, exe, said.say)
	if err != nil {
		t.Fatal(err)
	}
	return site, said.String()
}

func pid(t *testing.T, p profile.Paths) int {
	t.Helper()
	c, err := readConnection(DataFolder(p))
	if err != nil {
		t.Fatal(err)
	}
	return c.PID
}

func TestTwoStartsAtOnceMakeOneServerThatOutlivesItsStarter(t *testing.T) {
	p, exe := home(t), executable(t)
	var group sync.WaitGroup
	sites := make([]Site, 4)
	for i := range sites {
		group.Go(func() {
			var said lines
			var err error
			if sites[i], err = Ensure(timeout(t), p, exe, said.say); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	started := 0
	for _, s := range sites {
		if s.Started {
			started++
		}
		if s.Profile != sites[0].Profile || s.Keys != sites[0].Keys {
			t.Errorf("%+v and %+v", s, sites[0])
		}
	}
	if started != 1 {
		t.Errorf("%d servers started", started)
	}
	// Its session is not ours: what ends our terminal does not end it.
	theirs, _, errno := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid(t, p)), 0, 0)
	ours, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
	if errno != 0 || theirs == ours || int(theirs) != pid(t, p) {
		t.Errorf("the server's session is %d, ours %d (%v)", theirs, ours, errno)
	}
	// The stored profile is all that anybody needs.
	stored, keys, err := profile.Resolve(p, profile.Selection{}, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	server, err := servers.Open(stored, keys, servers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	project, err := server.Project(timeout(t), stored.Project)
	if err != nil || project.Name != projectName {
		t.Errorf("%+v, %v", project, err)
	}
}

func TestAServerThatIsGoneComesBackAtItsAddress(t *testing.T) {
	p, exe := home(t), executable(t)
	first, _ := ensure(t, p, exe)
	if err := syscall.Kill(pid(t, p), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for dead := pid(t, p); !gone(dead); time.Sleep(time.Millisecond) {
	}
	second, _ := ensure(t, p, exe)
	if !second.Started || second.Profile != first.Profile || second.Keys != first.Keys {
		t.Errorf("first %+v, then %+v", first, second)
	}
}

func TestATakenAddressIsLeftToWhoHasIt(t *testing.T) {
	p, exe := home(t), executable(t)
	first, _ := ensure(t, p, exe)
	c, err := readConnection(DataFolder(p))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.stop(timeout(t)); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(first.Profile.URL, "http://")
	thief, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer thief.Close()
	go func() { // it accepts, and answers like no server of ours
		for {
			conn, err := thief.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"))
			_ = conn.Close()
		}
	}()
	second, said := ensure(t, p, exe)
	if second.Profile.URL == first.Profile.URL || !strings.Contains(said, address) {
		t.Errorf("moved from %s to %s, saying %q", first.Profile.URL, second.Profile.URL, said)
	}
	third, said := ensure(t, p, exe)
	if third.Started || third.Profile.URL != second.Profile.URL || said != "" {
		t.Errorf("not steady: %+v, saying %q", third, said)
	}
}

func TestAnotherBuildTakesOverUnlessAnalysesAreUnderWay(t *testing.T) {
	p := home(t)
	old := filepath.Join(t.TempDir(), "old")
	data, err := os.ReadFile(executable(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old, data, 0o755); err != nil {
		t.Fatal(err)
	}
	first, _ := ensure(t, p, old)
	server, err := servers.Open(first.Profile, first.Keys, servers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Plan(timeout(t), server, client.Project{ID: first.Profile.Project, Ontology: ontology(t, server, first)})
	if err != nil {
		t.Fatal(err)
	}
	job, err := server.CreateJob(timeout(t), client.NewJob{Project: first.Profile.Project, Algorithm: plan.Algorithm.ID, Status: client.InQueue})
	if err != nil {
		t.Fatal(err)
	}
	busy, said := ensure(t, p, executable(t))
	if busy.Started || !strings.Contains(said, "under way") {
		t.Errorf("replaced while a job waits: %+v, saying %q", busy, said)
	}
	if _, err := server.UpdateJob(timeout(t), job.ID, func(c *client.JobChange) error { c.Status = client.Success; return nil }); err != nil {
		t.Fatal(err)
	}
	before := pid(t, p)
	idle, said := ensure(t, p, executable(t))
	if !idle.Started || idle.Profile != first.Profile || !gone(before) || !strings.Contains(said, "another build") {
		t.Errorf("%+v, saying %q", idle, said)
	}
}

func ontology(t *testing.T, s client.Server, site Site) client.ID {
	t.Helper()
	p, err := s.Project(timeout(t), site.Profile.Project)
	if err != nil {
		t.Fatal(err)
	}
	return p.Ontology
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	p := home(t)
	// A folder where the database should be.
	if err := os.Remove(filepath.Join(DataFolder(p), "cytomine.db")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(DataFolder(p), "cytomine.db", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err := Ensure(timeout(t), p, executable(t), func(string) {})
	if err == nil || !strings.Contains(err.Error(), "cytomine.db") && !strings.Contains(err.Error(), "database") {
		t.Errorf("%v", err)
	}
	if time.Since(start) > 20*time.Second {
		t.Errorf("it took %v to say so", time.Since(start))
	}
}

func TestAPersonsOwnProfileOfThatNameIsNotTouched(t *testing.T) {
	p := home(t)
	own := profile.Profile{Name: ProfileName, Kind: client.Cytomine, URL: "https://demo.example.org"}
	if err := profile.Save(p, own, client.Keys{Public: "a", Private: "b"}); err != nil {
		t.Fatal(err)
	}
	if _, err := Ensure(timeout(t), p, executable(t), func(string) {}); err == nil || !strings.Contains(err.Error(), "demo.example.org") {
		t.Errorf("%v", err)
	}
	if keys, _, err := profile.LoadKeys(p, ProfileName); err != nil || keys.Private != "b" {
		t.Errorf("%v", err)
	}
}
