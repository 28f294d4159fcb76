package logview

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
)

func TestNumbersOfALogArePlottedAndFollowed(t *testing.T) {
	var log strings.Builder
	for i := range 20 {
		fmt.Fprintf(&log, "epoch %d/40 - loss: %.3f - accuracy: 0.%d\n", i+1, 1/float64(i+1), 50+i)
	}
	m, path := open(t, log.String(), runner.Running)
	press(t, m, "p")
	shows := func(want string) {
		t.Helper()
		if got := text.Block(text.Strip(strings.ReplaceAll(m.View(), "\n", "¶"))); !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	shows("loss, 20 reports, now 0.05")
	shows("epoch or step")
	press(t, m, "y")
	shows("accuracy, 20 reports, now 0.69")
	press(t, m, "y")
	shows("progress, ")
	press(t, m, "Y")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "epoch 21/40 - loss: 0.04 - accuracy: 0.75\n")
	drive(t, m, nav.Tick{Now: time.Now()})
	drive(t, m, nav.Tick{Now: time.Now()})
	shows("accuracy, 21 reports, now 0.75")
	for _, size := range [][2]int{{30, 3}, {60, 14}, {80, 18}, {200, 50}} {
		m.SetSize(size[0], size[1])
		lines := strings.Split(m.View(), "\n")
		if len(lines) != size[1] {
			t.Errorf("%v: %d lines", size, len(lines))
		}
		for _, l := range lines {
			if text.Width(l) > size[0] {
				t.Errorf("%v: %q", size, text.Strip(l))
			}
		}
	}
	if !m.HoldsKey(keymap.Press("esc")) {
		t.Error("esc must lead back to the log")
	}
	press(t, m, "esc")
	if m.plot.on {
		t.Error("it is still a plot")
	}
}

func TestALogWithoutNumbersSaysSo(t *testing.T) {
	m, _ := open(t, "hello\nworld\n", runner.Succeeded)
	press(t, m, "p")
	if !strings.Contains(text.Strip(m.View()), "reports no number") {
		t.Errorf("shows %q", text.Strip(m.View()))
	}
}
