package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

// hook is a webhook that keeps what it got.
type hook struct {
	mu   sync.Mutex
	gate chan struct{} // closed: answers at once
	came int           // how many asked
	got  []map[string]any
	text []string
}

func newHook(t *testing.T, settings string) *hook {
	t.Helper()
	h := &hook{gate: make(chan struct{})}
	close(h.gate)
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		gate := h.gate
		h.came++
		h.mu.Unlock()
		select {
		case <-gate:
		case <-r.Context().Done():
			return // who asked was killed and has heard nothing
		}
		var m map[string]any
		_ = json.Unmarshal(b, &m)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got, h.text = append(h.got, m), append(h.text, string(b))
	}))
	t.Cleanup(web.Close)
	paths, err := profile.DefaultPaths()
	must(t, err)
	f, err := os.OpenFile(filepath.Join(paths.Config, "config.toml"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	must(t, err)
	_, err = fmt.Fprintf(f, "\n[notify]\nwebhook = %q\n%s\n", web.URL, settings)
	must(t, errors.Join(err, f.Close()))
	return h
}

// hang makes the hook keep everybody waiting until goOn.
func (h *hook) hang() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gate = make(chan struct{})
}

func (h *hook) goOn() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gate = make(chan struct{}) // who waits at the old one waits until it is gone
	close(h.gate)
}

func (h *hook) asked() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.came
}

func (h *hook) messages() []map[string]any {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]map[string]any(nil), h.got...)
}

// member is a spec of one group.
func (s *site) member(words string, stopAfter int) runner.Spec {
	spec := s.spec(words)
	spec.Group, spec.StopAfter = "g-1", stopAfter
	return spec
}

func TestThePersonIsToldOfTheEnd(t *testing.T) {
	s := newSite(t)
	h := newHook(t, `command = "exit 3"`)
	run := s.ended(s.launch("exit 5"), runner.Failed)
	got := h.messages()
	if len(got) != 1 || got[0]["run"] != run.ID || got[0]["state"] != "failed" || !strings.Contains(fmt.Sprint(got[0]["reason"]), "bad threshold") {
		t.Fatalf("%v", got)
	}
	events, err := os.ReadFile(filepath.Join(run.Folder, runner.EventsFile))
	must(t, err)
	if !strings.Contains(string(events), `"notified":"webhook"`) || !strings.Contains(string(events), `"notify_failed":"command: exit status 3"`) {
		t.Errorf("the events do not say how it went: %s", events)
	}
}

func TestWhatIsToldHoldsNoKey(t *testing.T) {
	s := newSite(t)
	h := newHook(t, "")
	// The program fails with its own arguments as the last words, as argparse
	// and set -x do.
	run := s.launch("sleep 1 1 [CYTOMINE_PUBLIC_KEY] [CYTOMINE_PRIVATE_KEY]")
	_ = s.state(run, runner.Failed)
	failing := s.launch("report 4 key:[CYTOMINE_PRIVATE_KEY] 0 [CYTOMINE_HOST] [CYTOMINE_PUBLIC_KEY] [CYTOMINE_PRIVATE_KEY]")
	s.ended(failing, runner.Failed)
	within(t, "both ends told", func() bool { return len(h.messages()) == 2 })
	comment := s.jobs()[1].comment
	_, key, ok := strings.Cut(comment, "key:")
	if key = strings.Fields(key + " x")[0]; !ok || len(key) < 16 {
		t.Fatalf("the program did not tell its key: %q", comment)
	}
	for _, text := range h.text {
		if strings.Contains(text, key) || strings.Contains(text, s.keys.Private) {
			t.Errorf("a key was told: %s", text)
		}
	}
	for _, name := range []string{runner.EventsFile, runner.ResultFile, runner.SummaryFile} {
		if b, err := os.ReadFile(filepath.Join(failing.Folder, name)); err != nil || strings.Contains(string(b), key) {
			t.Errorf("%s holds a key of the job: %s %v", name, b, err)
		}
	}
}

func TestTheEndOfAGroupHoldsNoKeyOfItsRuns(t *testing.T) {
	s := newSite(t)
	h := newHook(t, "")
	// The first run fails with its key as its last words; the second, which
	// tells the end of the group, knows other keys.
	first := s.create(s.member("report 4 key:[CYTOMINE_PRIVATE_KEY] 0 [CYTOMINE_HOST] [CYTOMINE_PUBLIC_KEY] [CYTOMINE_PRIVATE_KEY]", 0))
	second := s.create(s.member("ok", 0))
	for _, r := range []runner.Run{first, second} {
		s.start(r)
	}
	s.ended(first, runner.Failed)
	s.ended(second, runner.Succeeded)
	_, key, ok := strings.Cut(s.jobs()[0].comment+s.jobs()[1].comment, "key:")
	if key = strings.Fields(key + " x")[0]; !ok || len(key) < 16 {
		t.Fatal("the program did not tell its key")
	}
	if got := h.messages(); len(got) != 1 || !strings.Contains(h.text[0], "1 succeeded, 1 failed (") || strings.Contains(h.text[0], key) {
		t.Errorf("%s", h.text)
	}
}

func TestAGroupIsToldOnce(t *testing.T) {
	t.Setenv("CYTORUN_SLOTS", "3")
	s := newSite(t)
	h := newHook(t, "")
	var runs []runner.Run
	for _, words := range []string{"ok", "exit 4", "sleep 300", "ok", "ok"} {
		runs = append(runs, s.create(s.member(words, 0)))
	}
	for _, r := range runs {
		s.start(r)
	}
	for i, r := range runs {
		state := runner.Succeeded
		if i == 1 {
			state = runner.Failed
		}
		s.ended(r, state)
	}
	got := h.messages()
	if len(got) != 1 || got[0]["group"] != "g-1" || got[0]["state"] != "failed" || !strings.HasPrefix(fmt.Sprint(got[0]["reason"]), "4 succeeded, 1 failed (exit 4") {
		t.Fatalf("%v", got)
	}
	// Trying the failed one again ends the group again.
	again := s.member("ok", 0)
	again.From = runs[1].ID
	r := s.create(again)
	s.start(r)
	s.ended(r, runner.Succeeded)
	if got = h.messages(); len(got) != 2 || got[1]["reason"] != "5 succeeded" {
		t.Errorf("%v", got)
	}
}

func TestAGroupStopsAfterFailuresInARow(t *testing.T) {
	s := newSite(t) // one slot
	words, end := until(t)
	first := s.create(s.member("ok", 2))
	s.start(first)
	s.ended(first, runner.Succeeded)
	hold := s.launch(words) // of no group: keeps the box busy until all wait
	s.running(hold)
	var runs []runner.Run
	for range 6 {
		r := s.create(s.member("exit 1", 2))
		s.start(r)
		within(t, "it waits", func() bool { r, _ := runner.ReadFolder(r.Folder); return r.Ticket > 0 })
		runs = append(runs, r)
	}
	end("0")
	count := map[runner.State]int{}
	var reason string
	for _, r := range runs {
		now := s.state(r, runner.Failed, runner.Cancelled)
		count[now.State]++
		if now.State == runner.Cancelled {
			reason = now.Reason
		}
	}
	if count[runner.Failed] != 2 || count[runner.Cancelled] != 4 {
		t.Errorf("%v", count)
	}
	if !strings.HasPrefix(reason, "not started: its group stopped after ") || !strings.Contains(reason, "failures in a row, the last: exit 1") {
		t.Errorf("reason %q", reason)
	}
	within(t, "the server knows why", func() bool {
		n := 0
		for _, j := range s.jobs() {
			if j.status == 8 && strings.Contains(j.comment, "its group stopped") {
				n++
			}
		}
		return n == count[runner.Cancelled]
	})
}

func TestTheFolderSaysOnWhatItRanAndWhatItLeft(t *testing.T) {
	s := newSite(t)
	run := s.ended(s.launch("say hello"), runner.Succeeded)
	m, ok := runner.ReadMachine(run.Folder)
	host, _ := os.Hostname()
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	if !ok || m.Host != host || m.BootID != strings.TrimSpace(string(boot)) || m.Kernel != "Linux "+strings.TrimSpace(string(kernel)) ||
		m.Runtime != "process" || m.Memory < 1<<28 || m.CPUs < 1 {
		t.Errorf("%+v", m)
	}
	o, ok := runner.ReadOutputs(run.Folder)
	// sha256sum of "hello\n"
	if !ok || o.Log == nil || o.Log.Size != 6 || o.Log.SHA256 != "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03" {
		t.Errorf("%+v", o)
	}
}

func FuzzReadGPUs(f *testing.F) {
	f.Add("GPU-1, NVIDIA H200, 143771, 570.12\nGPU-2, [N/A], [N/A], 570.12\n")
	f.Add("No devices were found")
	f.Fuzz(func(t *testing.T, out string) {
		found, _ := readGPUs(out)
		for _, g := range found {
			if g.UUID == "" || g.Memory < 0 {
				t.Errorf("%+v", g)
			}
		}
	})
}

func TestGPUsOfTheDriver(t *testing.T) {
	found, driver := readGPUs("GPU-1, NVIDIA H200, 143771, 570.12\nGPU-2, \"A, B\", [N/A], 570.12\n\nbroken\n")
	if len(found) != 2 || driver != "570.12" || found[0] != (runner.MachineGPU{UUID: "GPU-1", Name: "NVIDIA H200", Memory: 143771 << 20}) || found[1].Name != "A, B" {
		t.Errorf("%+v %s", found, driver)
	}
}
