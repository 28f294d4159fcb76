package gpu

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cytorun/cytorun/internal/bench"
	"github.com/cytorun/cytorun/runner"
)

// crowd lets n runs, each a process, wait for the GPUs of a box, and gives the
// longest time that a GPU was free while somebody waited for any.
func (b *box) crowd(n int) (idle time.Duration) {
	b.t.Helper()
	for i := range n {
		hold := time.Duration(20+rand.IntN(60)) * time.Millisecond
		b.start(child{Run: fmt.Sprintf("r%02d", i), Request: Request{Count: 1}, Hold: hold})
	}
	ends := func() (n int) {
		for _, e := range b.events() {
			if e.what == "ends" {
				n++
			}
		}
		return n
	}
	within(b.t, 120*time.Second, "all have ended", func() bool { return ends() == n })
	holder, freed := map[string]string{}, map[string]time.Time{}
	begun := 0
	es := b.events()
	slices.SortStableFunc(es, func(a, c event) int { return a.time.Compare(c.time) })
	for _, e := range es {
		switch e.what {
		case "has":
			if other := holder[e.more]; other != "" {
				b.t.Fatalf("%s has %s that %s has", e.run, e.more, other)
			}
			holder[e.more] = e.run
			begun++
			if t, ok := freed[e.more]; ok {
				idle = max(idle, e.time.Sub(t))
			}
			delete(freed, e.more)
		case "ends":
			holder[e.more] = ""
			freed[e.more] = e.time
		case "fails":
			b.t.Fatalf("%s: %s", e.run, e.more)
		}
		if begun == n {
			break
		}
	}
	if len(holder) > 4 {
		b.t.Fatalf("%d GPUs were given", len(holder))
	}
	return idle
}

func TestACrowdUsesEveryGPUOnce(t *testing.T) {
	b := newBox(t, 4)
	t.Logf("no GPU was free for longer than %s while somebody waited", b.crowd(12))
}

func TestACrowdInWhichSomeAreKilled(t *testing.T) {
	b := newBox(t, 2)
	var all []*exec.Cmd
	for i := range 16 {
		all = append(all, b.start(child{Run: fmt.Sprintf("r%02d", i), Request: Request{Count: 1 + i%2}, Hold: time.Duration(rand.IntN(30)) * time.Millisecond}))
	}
	for _, i := range rand.Perm(len(all))[:8] {
		time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
		_ = all[i].Process.Kill()
	}
	for i, cmd := range all {
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != -1 {
			t.Errorf("run %d: %v", i, err)
		}
	}
	if left := leases(b.leases()); len(left) != 0 || len(slotHolders(b.leases())) != 0 || len(tickets(b.leases())) != 0 {
		t.Errorf("left %v", left)
	}
	take(t, "after", Request{Count: 2}).Close()
	if left := runner.Tickets(b.leases()); len(left) != 0 {
		t.Errorf("tickets of the dead are left: %v", left)
	}
}

// BenchmarkCrowd measures how long a GPU is idle while one of 32 runs waits.
func BenchmarkCrowd(b *testing.B) {
	for b.Loop() {
		box := newBox(b, 4)
		idle := box.crowd(32)
		bench.Report(b, "gpu/idle-while-32-wait-for-4", float64(idle.Microseconds())/1000, "ms", 300, true)
	}
}

// BenchmarkWaiting measures the CPU time that a run in the queue uses, first in
// it and behind another.
func BenchmarkWaiting(b *testing.B) {
	for b.Loop() {
		box := newBox(b, 1)
		holder := box.start(child{Run: "holder", Request: Request{Count: 1}, Hold: time.Hour})
		box.await("holder", "has", "")
		first := box.start(child{Run: "first", Request: Request{Count: 1}})
		box.await("first", "waits", "run holder")
		second := box.start(child{Run: "second", Request: Request{Count: 1}})
		box.await("second", "waits", "first first")
		time.Sleep(200 * time.Millisecond) // what came before is not to count
		const long = 5 * time.Second
		before := cpu(b, first) + cpu(b, second)
		time.Sleep(long)
		used := cpu(b, first) + cpu(b, second) - before
		bench.Report(b, "gpu/cpu-of-two-waiting-for-5s", float64(used.Microseconds())/1000, "ms", 1, true)
		_ = holder.Process.Kill()
	}
}

// cpu is what all threads of a process used, from the scheduler's own account.
func cpu(t testing.TB, cmd *exec.Cmd) (used time.Duration) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/task", cmd.Process.Pid)
	tasks, err := os.ReadDir(dir)
	must(t, err)
	for _, task := range tasks {
		data, err := os.ReadFile(dir + "/" + task.Name() + "/schedstat")
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		must(t, err)
		ns, err := strconv.ParseInt(strings.Fields(string(data))[0], 10, 64)
		must(t, err)
		used += time.Duration(ns)
	}
	return used
}

// ledger knows what each GPU is used for, without our code.
type ledger struct {
	t  *testing.T
	mu sync.Mutex
	// used holds the memory of each share of a GPU, -1 for a whole one.
	used map[string][]int64
}

func (l *ledger) take(g *Grant, memory int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range g.UUIDs() {
		if memory == 0 {
			memory = -1
		}
		sum := memory
		for _, m := range l.used[u] {
			if m < 0 || memory < 0 {
				l.t.Errorf("%s is taken twice", u)
			}
			sum += m
		}
		if sum > 24<<30 {
			l.t.Errorf("%s is overfull: %d bytes", u, sum)
		}
		l.used[u] = append(l.used[u], memory)
	}
}

func (l *ledger) free(g *Grant, memory int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if memory == 0 {
		memory = -1
	}
	for _, u := range g.UUIDs() {
		i := slices.Index(l.used[u], memory)
		l.used[u] = slices.Delete(l.used[u], i, i+1)
	}
}

// actor is one run that comes and goes in the test of random steps.
type actor struct {
	request Request
	cancel  context.CancelFunc
	done    chan *Grant // what Enter gave; nil after a cancel
	grant   *Grant
}

func TestRandomStepsTakeNothingTwice(t *testing.T) {
	b := newBox(t, 4)
	t.Setenv("CYTORUN_SLOTS", "7")
	defer func(d time.Duration) { lookLast = d }(lookLast)
	lookLast = 2 * time.Millisecond
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var mu sync.Mutex
	present := devices(4)
	discover := func(context.Context) ([]Device, error) {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(present), nil
	}
	l := &ledger{t: t, used: map[string][]int64{}}
	actors := make([]*actor, 10)
	grants, cancels := 0, 0
	news := make(chan bool, 1) // an Enter has returned
	step := func(i int) bool {
		a := actors[i]
		switch {
		case a == nil:
			r := Request{Count: random.IntN(3)}
			switch random.IntN(4) {
			case 0:
				r.Memory = int64(1+random.IntN(20)) << 30
			case 1:
				r = Request{Names: []string{strconv.Itoa(random.IntN(4))}}
			}
			ctx, cancel := context.WithCancel(t.Context())
			a = &actor{request: r, cancel: cancel, done: make(chan *Grant, 1)}
			actors[i] = a
			q := &Queue{Settings: Settings{Slots: 7}, dir: b.leases(), run: fmt.Sprintf("a%d", i), say: func(string) {}, discover: discover,
				ours: func(Process, Lease) bool { return false }}
			number, err := q.Draw(0)
			must(t, err)
			go func() {
				g, err := q.Enter(ctx, number, r)
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				if g != nil {
					l.take(g, r.Memory)
				}
				a.done <- g
				select {
				case news <- true:
				default:
				}
			}()
			return true
		case a.grant != nil:
			l.free(a.grant, a.request.Memory)
			a.grant.Close()
			actors[i] = nil
			return true
		}
		select {
		case a.grant = <-a.done:
			if a.grant == nil {
				actors[i] = nil
			} else {
				grants++
			}
			return true
		default:
		}
		if random.IntN(100) == 0 {
			a.cancel()
			cancels++
			return true
		}
		return false
	}
	for i, steps := 0, 0; steps < 10_000 && !t.Failed(); i++ {
		switch i % 300 { // what computes without a lease comes and goes
		case 0:
			mu.Lock()
			present = devices(4)
			present[random.IntN(4)].Used = 2 << 30
			mu.Unlock()
		case 30:
			mu.Lock()
			present = devices(4)
			mu.Unlock()
		}
		moved := false
		for _, a := range random.Perm(len(actors)) {
			if moved = step(a); moved {
				break
			}
		}
		if moved {
			steps++
			continue
		}
		select { // all wait
		case <-news:
		case <-time.After(10 * time.Millisecond):
		}
	}
	// At the end nothing is left.
	mu.Lock()
	present = devices(4)
	mu.Unlock()
	within(t, 60*time.Second, "all have ended", func() bool {
		idle := true
		for i, a := range actors {
			if a == nil {
				continue
			}
			idle = false
			a.cancel()
			select {
			case g := <-a.done:
				if g != nil {
					l.free(g, a.request.Memory)
					g.Close()
				}
				actors[i] = nil
			default:
				if a.grant != nil {
					l.free(a.grant, a.request.Memory)
					a.grant.Close()
					actors[i] = nil
				}
			}
		}
		return idle
	})
	if left := leases(b.leases()); len(left) != 0 || len(tickets(b.leases())) != 0 {
		t.Errorf("left %v", left)
	}
	t.Logf("%d grants, %d cancelled", grants, cancels)
	if grants < 1000 {
		t.Errorf("only %d grants in 10,000 steps", grants)
	}
}
