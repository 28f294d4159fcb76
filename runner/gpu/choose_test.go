package gpu

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/runner"
)

func TestChoose(t *testing.T) {
	now := time.Date(2026, 11, 20, 14, 5, 0, 0, time.Local)
	whole := Lease{Holder: Holder{Run: "w", UID: -1}, path: "w"}
	share := func(gib int64) Lease { return Lease{Holder: Holder{Run: "s", UID: -1, Memory: gib << 30}, path: "s"} }
	used := func(mib int64) func(*Device) { return func(d *Device) { d.Used = mib << 20 } }
	process := func(p Process) func(*Device) {
		return func(d *Device) { d.Processes = append(d.Processes, p) }
	}
	self := Process{PID: os.Getpid()}
	self.identify()
	for _, c := range []struct {
		name    string
		change  map[int]func(*Device)
		held    map[int][]Lease
		request Request
		want    []int
		says    string
		vague   bool
	}{
		{name: "the first that are free", held: map[int][]Lease{0: {whole}}, request: Request{Count: 2}, want: []int{1, 2}},
		{name: "all or nothing", held: map[int][]Lease{0: {whole}, 2: {whole}}, request: Request{Count: 2}, says: "waiting for 2 GPUs: GPU 0 has run w; GPU 2 has run w"},
		{name: "the driver's own memory is nobody's", change: map[int]func(*Device){0: used(900)}, request: Request{Count: 3}, want: []int{0, 1, 2}},
		{name: "memory in use is somebody's", change: map[int]func(*Device){0: used(1100)}, request: Request{Names: []string{"0"}},
			says: "GPU 0 has 1.1 GiB in use by processes that cannot be seen", vague: true},
		{name: "a process is somebody's", change: map[int]func(*Device){0: process(Process{PID: 7, UID: -1, Used: 5 << 20})}, request: Request{Count: 3},
			says: "GPU 0 is used without a lease by a process that cannot be seen (pid 7), 5 MiB", vague: true},
		{name: "a process that is gone is nobody's", change: map[int]func(*Device){0: process(Process{PID: 4194305, start: "1"})}, request: Request{Count: 1}, want: []int{0}},
		{name: "a process below a lease is its run's", change: map[int]func(*Device){0: process(Process{PID: 42})}, held: map[int][]Lease{0: {share(4)}},
			request: Request{Count: 1, Memory: 1 << 30}, want: []int{0}},
		{name: "a stranger beside a share", change: map[int]func(*Device){0: process(self)}, held: map[int][]Lease{0: {share(4)}},
			request: Request{Names: []string{"0"}, Memory: 1 << 30}, says: "GPU 0 is used without a lease by ", vague: true},
		{name: "a share goes where others share", held: map[int][]Lease{2: {share(4)}}, request: Request{Count: 1, Memory: 8 << 30}, want: []int{2}},
		{name: "and where it fits best", held: map[int][]Lease{1: {share(4)}, 2: {share(10)}}, request: Request{Count: 1, Memory: 8 << 30}, want: []int{2}},
		{name: "a share does not join a whole", held: map[int][]Lease{0: {whole}, 1: {whole}, 2: {whole}}, request: Request{Count: 1, Memory: 1 << 30}, says: "GPU 0 has run w"},
		{name: "a whole does not join a share", held: map[int][]Lease{0: {share(1)}}, request: Request{Names: []string{"0"}}, says: "GPU 0 has run s, 1 GiB"},
		{name: "who uses more than declared leaves less", change: map[int]func(*Device){0: used(20000)}, held: map[int][]Lease{0: {share(4)}},
			request: Request{Names: []string{"0"}, Memory: 8 << 30}, says: "GPU 0 has only 4.5 GiB left beside run s", vague: true},
		{name: "a file that cannot be locked", held: map[int][]Lease{0: {{problem: ErrTool}}}, request: Request{Names: []string{"0"}}, says: "GPU 0 cannot be leased: " + ErrTool.Error(), vague: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ds := devices(3)
			held := map[string][]Lease{}
			for i, change := range c.change {
				change(&ds[i])
			}
			for i, ls := range c.held {
				held[uuid(i)] = ls
			}
			ours := func(p Process, l Lease) bool { return p.PID == 42 }
			picked, obstacles, err := choose(ds, held, c.request, nil, ours, now)
			must(t, err)
			var got []int
			for _, d := range picked {
				got = append(got, d.Index)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if c.want == nil {
				r := newRefusal(waitingFor(c.request, obstacles), obstacles)
				if !strings.Contains(r.reason, c.says) || r.vague != c.vague {
					t.Errorf("%q, vague %v", r.reason, r.vague)
				}
			}
		})
	}
}

func TestForesee(t *testing.T) {
	now := time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	states := func(until ...int) []State {
		ds := devices(len(until))
		var ss []State
		for i, u := range until {
			s := State{Device: ds[i], Allowed: true}
			if u != 0 {
				s.Leases = []Lease{{Holder: Holder{Until: at(u)}}}
			}
			ss = append(ss, s)
		}
		return ss
	}
	want := func(minutes ...int) []Waiting {
		var ws []Waiting
		for _, m := range minutes {
			ws = append(ws, Waiting{Request: Request{Count: 1, Typical: time.Duration(m) * time.Minute}})
		}
		return ws
	}
	for _, c := range []struct {
		name    string
		box     Box
		minutes []int // -1: not known
	}{
		{"one GPU, one after the other", Box{GPUs: states(30), SlotCount: 4, Waiting: want(10, 20, 5)}, []int{30, 40, 60}},
		{"the one that is free first", Box{GPUs: states(30, 10), SlotCount: 4, Waiting: want(5, 5, 5)}, []int{10, 15, 20}},
		{"slots count too", Box{GPUs: states(0, 0), SlotCount: 1, Slots: []Holder{{Until: at(7)}}, Waiting: want(3, 3)}, []int{7, 10}},
		{"who is late may take for ever", Box{GPUs: states(-5), SlotCount: 1, Waiting: want(3)}, []int{-1}},
		{"behind the unknown all is unknown", Box{GPUs: states(10, 0), SlotCount: 4, Waiting: want(0, 0, 3)}, []int{0, 10, -1}},
		{"nobody overtakes", Box{GPUs: states(10, 0), SlotCount: 4, Waiting: []Waiting{
			{Request: Request{Names: []string{"0"}, Typical: time.Minute}}, {Request: Request{Names: []string{"1"}}}}}, []int{10, 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.box.foresee(now)
			for i, m := range c.minutes {
				w := time.Time{}
				if m >= 0 {
					w = at(m)
				}
				if got := c.box.Waiting[i].Start; !got.Equal(w) {
					t.Errorf("%d starts %v, want %v", i, got, w)
				}
			}
		})
	}
}

func TestUseOfAGPU(t *testing.T) {
	mine := func(p Process) bool { return p.PID == 42 }
	sample := func(u *runner.GPUUse, w Watched, change func([]Device)) {
		ds := devices(2)
		change(ds)
		add(u, w, ds, mine)
	}
	idle := func([]Device) {}
	busy := func(ds []Device) {
		ds[0].Load, ds[0].Used = 80, 9<<30
		ds[0].Processes = []Process{{PID: 42, Used: 8 << 30, start: "1"}}
	}
	other := func(ds []Device) {
		ds[0].Load, ds[0].Used = 90, 9<<30
		ds[0].Processes = []Process{{PID: 43, Used: 8 << 30, start: "1"}}
	}
	one := Watched{GPUs: []string{uuid(0)}}
	shared := Watched{GPUs: []string{uuid(0)}, Shared: true}
	both := Watched{GPUs: []string{uuid(0), uuid(1)}}
	for _, c := range []struct {
		name    string
		watched Watched
		samples []func([]Device)
		warning string
		memory  int64
		load    float64
	}{
		{"used", one, []func([]Device){idle, busy, idle, idle}, "", 8 << 30, 20},
		{"never used", one, []func([]Device){idle, idle, idle}, "GPU leased but never used: the program may not have found it", 0, 0},
		{"not looked at often enough to tell", one, []func([]Device){idle, idle}, "", 0, 0},
		{"used by somebody else who shares it", shared, []func([]Device){other, other, other}, "GPU leased but never used: the program may not have found it", 0, 90},
		{"shared and used", shared, []func([]Device){busy, other, other}, "", 8 << 30, 260. / 3},
		{"two leased and one used", both, []func([]Device){busy, busy, busy}, "2 GPUs leased and only 1 used", 8 << 30, 40},
		{"two leased and none used", both, []func([]Device){idle, idle, idle}, "2 GPUs leased but never used: the program may not have found them", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := loadUse(c.watched)
			for _, s := range c.samples {
				sample(&u, c.watched, s)
			}
			if u.Warning() != c.warning || u.Memory != c.memory || u.Load < c.load-0.01 || u.Load > c.load+0.01 || u.Samples != len(c.samples) {
				t.Errorf("%q %+v", u.Warning(), u)
			}
		})
	}
}
