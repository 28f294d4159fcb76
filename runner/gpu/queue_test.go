package gpu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/runner"
)

// enter takes something in this process.
func enter(t *testing.T, run string, r Request) (*Grant, error) {
	t.Helper()
	q, err := Open(run, func(s string) { t.Log(run, s) })
	must(t, err)
	n, err := q.Draw(0)
	must(t, err)
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	return q.Enter(ctx, n, r)
}

func take(t *testing.T, run string, r Request) *Grant {
	t.Helper()
	g, err := enter(t, run, r)
	must(t, err)
	t.Cleanup(g.Close)
	return g
}

func TestARunGetsWhatItAsksFor(t *testing.T) {
	for _, c := range []struct {
		name string
		r    Request
		want []int
	}{
		{"nothing", Request{}, nil},
		{"a number", Request{Count: 2}, []int{0, 1}},
		{"an index", Request{Names: []string{"3"}}, []int{3}},
		{"several, in the order of nvidia-smi", Request{Names: []string{"2", "1"}}, []int{1, 2}},
		{"a UUID", Request{Names: []string{uuid(2)}}, []int{2}},
		{"the beginning of a UUID", Request{Names: []string{"gpu-00000001"}}, []int{1}},
		{"a share", Request{Count: 1, Memory: 8 << 30}, []int{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			newBox(t, 4)
			g := take(t, "a", c.r)
			var want []string
			for _, i := range c.want {
				want = append(want, uuid(i))
			}
			if !slices.Equal(g.UUIDs(), want) {
				t.Errorf("got %v, want %v", g.UUIDs(), want)
			}
			if env := Environment(g.UUIDs())["CUDA_VISIBLE_DEVICES"]; env != strings.Join(want, ",") {
				t.Errorf("CUDA_VISIBLE_DEVICES=%s", env)
			}
			var held []string
			for u, ls := range leases(os.Getenv("CYTORUN_LEASES")) {
				held = append(held, u)
				if len(ls) != 1 || ls[0].Run != "a" || ls[0].PID != os.Getpid() || ls[0].UID != os.Getuid() || ls[0].Memory != c.r.Memory {
					t.Errorf("%+v", ls)
				}
			}
			if slices.Sort(held); !slices.Equal(held, want) {
				t.Errorf("held %v, want %v", held, want)
			}
			g.Close()
			if left := leases(os.Getenv("CYTORUN_LEASES")); len(left) != 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

func TestWhatTheBoxCanNeverGiveIsSaidAtOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		r      Request
		config string
		says   string
	}{
		{"too many", Request{Count: 3}, "", "3 GPUs asked for, it has 2"},
		{"no such index", Request{Names: []string{"7"}}, "", "no GPU 7, it has GPU 0 (" + uuid(0)},
		{"a name of several", Request{Names: []string{"GPU-0000000"}}, "", "beginning of several"},
		{"one twice", Request{Names: []string{"0", uuid(0)}}, "", "GPU 0 is named twice"},
		{"one that is not allowed", Request{Names: []string{"0"}}, "[gpu]\nallow = [1]\n", "GPU 0 is not in [gpu] allow"},
		{"more than are allowed", Request{Count: 2}, "[gpu]\nallow = [\"1\"]\n", "allow of config.toml leaves 1"},
		{"none of those allowed is there", Request{Count: 1}, "[gpu]\nallow = [\"7\", \"GPU-9\"]\n", "leaves 0 of them; [gpu] allow of config.toml names GPU 7, GPU-9, and this box has GPU 0 ("},
		{"more memory than there is", Request{Count: 1, Memory: 80 << 30}, "", "0 of its GPUs have as much"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox(t, 2)
			b.config(c.config)
			_, err := enter(t, "a", c.r)
			if !errors.Is(err, ErrRequest) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if left := runner.Tickets(b.leases()); len(left) != 0 {
				t.Errorf("tickets are left: %v", left)
			}
		})
	}
	t.Run("a box without GPUs", func(t *testing.T) {
		b := newBox(t, 0)
		if _, err := enter(t, "a", Request{Count: 1}); !errors.Is(err, ErrMissing) {
			t.Error(err)
		}
		take(t, "b", Request{}).Close()
		b.remove("bin/nvidia-smi")
		t.Setenv("PATH", filepath.Join(b.dir, "bin"))
		if _, err := enter(t, "a", Request{Count: 1}); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "--gpus 0") {
			t.Error(err)
		}
	})
}

func (b *box) config(s string) {
	b.t.Helper()
	dir := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "cytorun")
	must(b.t, os.MkdirAll(dir, 0o755))
	must(b.t, os.WriteFile(filepath.Join(dir, "config.toml"), []byte(s), 0o644))
}

func TestWaitingSaysForWhatAndForWhom(t *testing.T) {
	b := newBox(t, 2)
	t.Setenv("CYTORUN_SLOTS", "4")
	first := b.start(child{Run: "first", Request: Request{Names: []string{"0"}, Typical: time.Hour}, Hold: time.Hour})
	b.await("first", "has", uuid(0))
	stranger := exec.Command("sleep", "1000")
	must(t, stranger.Start())
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	b.processes(fmt.Sprintf("%s, %d, 9000", uuid(1), stranger.Process.Pid))
	b.start(child{Run: "second", Request: Request{Count: 1}})
	e := b.await("second", "waits", "")
	for _, s := range []string{
		"waiting for 1 GPU: GPU 0 has run first of " + userName(os.Getuid()) + " since ", ", until about ",
		fmt.Sprintf("; GPU 1 is used without a lease by sleep (pid %d) of %s, 8.8 GiB, since ", stranger.Process.Pid, userName(os.Getuid())),
	} {
		if !strings.Contains(e.more, s) {
			t.Errorf("%q does not say %q", e.more, s)
		}
	}
	b.start(child{Run: "third", Request: Request{Count: 2}})
	if e := b.await("third", "waits", ""); e.more != runner.WaitingForTurn+": 1 before it, first second" {
		t.Errorf("third: %q", e.more)
	}
	box := Look(t.Context())
	if len(box.Waiting) != 2 || !strings.HasPrefix(box.Waiting[0].Reason, "waiting for 1 GPU") || box.Waiting[1].GPUs() != 2 {
		t.Errorf("%+v", box.Waiting)
	}
	if wait := time.Until(box.Waiting[0].Start); wait < 55*time.Minute || wait > time.Hour || !box.Waiting[1].Start.IsZero() {
		t.Errorf("may start %v and %v", box.Waiting[0].Start, box.Waiting[1].Start)
	}
	for _, r := range []Request{{Count: 1}, {}} { // whoever comes now is behind both
		if err := box.Available(r); err == nil || !strings.HasPrefix(err.Error(), runner.WaitingForTurn+": 2 before it, first second, waiting for 1 GPU: GPU 0 has run first") {
			t.Error(err)
		}
	}
	if w, before, ok := box.Find("third"); !ok || before != 1 || w.GPUs() != 2 {
		t.Errorf("%+v %d %v", w, before, ok)
	}
	// The end of the stranger is noticed although it had no lease.
	b.processes()
	must(t, stranger.Process.Kill())
	_ = stranger.Wait()
	b.await("second", "ends", uuid(1))
	must(t, first.Process.Signal(os.Kill))
	b.await("third", "has", uuid(0)+","+uuid(1))
}

func TestWhoWaitsForAGPUByNumberIsListedByNumber(t *testing.T) {
	b := newBox(t, 2)
	take(t, "first", Request{Count: 2})
	b.start(child{Run: "second", Request: Request{Names: []string{"1"}}})
	b.await("second", "waits", "waiting for GPU 1: ")
	if w, _, ok := Look(t.Context()).Find("second"); !ok || w.Request.String() != "GPU 1" || w.Names[0] != uuid(1) {
		t.Errorf("%+v %v", w, ok)
	}
	if s := (Request{Names: []string{"0", "1"}}).String(); s != "GPUs 0, 1" {
		t.Error(s)
	}
}

func TestSlotsAreForAllRunsAndOneForEachGPU(t *testing.T) {
	b := newBox(t, 2)
	take(t, "a", Request{Typical: time.Hour})
	if err := LookAtQueue(t.Context()).Available(Request{}); err != nil {
		t.Error(err)
	}
	g := take(t, "b", Request{Typical: 2 * time.Hour})
	if err := LookAtQueue(t.Context()).Available(Request{}); err == nil || !strings.HasPrefix(err.Error(), "waiting for its turn: taken by run a of "+userName(os.Getuid())+" since ") || !strings.Contains(err.Error(), "; may begin at about ") {
		t.Error(err)
	}
	b.start(child{Run: "c", Request: Request{}})
	e := b.await("c", "waits", "")
	if !strings.HasPrefix(e.more, runner.WaitingForTurn+": taken by run a of "+userName(os.Getuid())+" since ") || !strings.Contains(e.more, "; run b of ") {
		t.Errorf("c %q", e.more)
	}
	g.Close()
	b.await("c", "ends", "")
}

func TestSharesFillOneGPU(t *testing.T) {
	b := newBox(t, 2)
	for i, run := range []string{"a", "b", "c"} {
		g := take(t, run, Request{Count: 1, Memory: 8 << 30})
		// 24564 MiB hold two of 8 GiB, the third goes elsewhere.
		if want := uuid(i / 2); g.UUIDs()[0] != want {
			t.Errorf("%s has %v, want %s", run, g.UUIDs(), want)
		}
	}
	b.start(child{Run: "whole", Request: Request{Count: 1}})
	if e := b.await("whole", "waits", ""); !strings.Contains(e.more, "run a of "+userName(os.Getuid())+", 8 GiB since ") {
		t.Errorf("%q", e.more)
	}
	b.start(child{Run: "big", Request: Request{Count: 1, Memory: 20 << 30}, Number: 1 << 40})
	b.await("big", "waits", "1 before it, first whole")
}

func TestAShareSaysHowMuchIsLeft(t *testing.T) {
	b := newBox(t, 1)
	take(t, "a", Request{Count: 1, Memory: 8 << 30})
	b.start(child{Run: "big", Request: Request{Count: 1, Memory: 20 << 30}})
	if e := b.await("big", "waits", ""); !strings.Contains(e.more, "waiting for 20 GiB of 1 GPU: GPU 0 has only 16 GiB left beside run a") {
		t.Errorf("%q", e.more)
	}
	b.config("[gpu]\nallow = [\"0\", \"x y\"]\n")
	if _, err := Open("c", nil); err == nil || !strings.Contains(err.Error(), "[gpu] allow") {
		t.Error(err)
	}
}

func TestFirstComeFirstServed(t *testing.T) {
	b := newBox(t, 4)
	t.Setenv("CYTORUN_SLOTS", "8")
	blocker := take(t, "blocker", Request{Count: 4})
	type got struct {
		number int
		g      *Grant
	}
	order := make(chan got)
	const n = 32
	for i := range n {
		q, err := Open(fmt.Sprintf("r%02d", i), func(string) {})
		must(t, err)
		number, err := q.Draw(0)
		must(t, err)
		go func() {
			// Different wishes do not overtake each other. No two of them fit at
			// the same time: those would arrive here in any order.
			g, err := q.Enter(t.Context(), number, Request{Count: 3 + i%2, Memory: int64(i%2) << 30})
			if err != nil {
				t.Error(err)
			}
			order <- got{i, g}
		}()
		within(t, 10*time.Second, "a ticket", func() bool { return len(tickets(b.leases())) == i+1 })
	}
	blocker.Close()
	for i := range n {
		r := <-order
		if r.number != i {
			t.Fatalf("%d came before %d", r.number, i)
		}
		r.g.Close()
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	b := newBox(t, 1)
	take(t, "a", Request{Count: 1})
	why := errors.New("the person said so")
	for i, r := range []Request{{Count: 1}, {}} {
		q, err := Open("b", func(string) {})
		must(t, err)
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error)
		go func() {
			_, err := q.Enter(ctx, int64(10+i), r)
			done <- err
		}()
		within(t, 10*time.Second, "a ticket", func() bool { return len(tickets(b.leases())) == 1 })
		cancel(why)
		if err := <-done; !errors.Is(err, why) {
			t.Error(err)
		}
		if left := runner.Tickets(b.leases()); len(left) != 0 {
			t.Errorf("tickets are left: %v", left)
		}
	}
}

func TestALeaseLivesAsLongAsWhoeverWasHandedIt(t *testing.T) {
	b := newBox(t, 1)
	g := take(t, "a", Request{Count: 1})
	keeper := exec.Command("sleep", "1000")
	keeper.ExtraFiles = g.Files()
	must(t, keeper.Start())
	defer func() { _ = keeper.Process.Kill(); _ = keeper.Wait() }()
	g.Close()
	if len(leases(b.leases())) != 1 || len(slotHolders(b.leases())) != 1 {
		t.Error("the lease ended with the process that took it")
	}
	b.start(child{Run: "b", Request: Request{Count: 1}})
	b.await("b", "waits", "run a")
	must(t, keeper.Process.Kill())
	b.await("b", "has", uuid(0))
}

func TestATicketThatIsLookedAtIsStillOurs(t *testing.T) {
	b := newBox(t, 1)
	path := filepath.Join(b.leases(), runner.TicketName(5, os.Getuid(), "a"))
	f, err := openShared(path)
	must(t, err)
	must(t, flock(f, unix.LOCK_SH)) // as somebody does who wonders whether we live
	b.start(child{Run: "a", Number: 5})
	time.AfterFunc(50*time.Millisecond, func() { _ = f.Close() })
	b.await("a", "ends", "")
	// One that was killed leaves its ticket until somebody sweeps it.
	must(t, os.WriteFile(path, nil, 0o666))
	Leave("a", 0)
	Leave("b", 5)
	if len(runner.Tickets(b.leases())) != 1 {
		t.Error("the ticket of another run is gone")
	}
	Leave("a", 5)
	if left := runner.Tickets(b.leases()); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestNumbersAreDrawnOnce(t *testing.T) {
	b := newBox(t, 1)
	q, err := Open("a", nil)
	must(t, err)
	for i := int64(1); i < 4; i++ {
		if n, err := q.Draw(0); n != i || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	}
	if n, _ := q.Draw(7); n != 7 {
		t.Errorf("an old number became %d", n)
	}
	// A counter that somebody cleaned away does not give a number twice.
	must(t, os.Remove(filepath.Join(b.leases(), decisions)))
	must(t, os.WriteFile(filepath.Join(b.leases(), runner.TicketName(41, 1, "x")), nil, 0o666))
	if n, _ := q.Draw(0); n != 42 {
		t.Errorf("got %d", n)
	}
}
