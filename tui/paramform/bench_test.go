package paramform_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/bench"
	"github.com/cytorun/cytorun/tui/keymap"
	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/paramform"
	"github.com/cytorun/cytorun/tui/tuitest"
)

// large is an algorithm with many parameters of all types.
func large(n int) client.Algorithm {
	a := client.Algorithm{ID: 4711, Name: "large", Container: "lab/large", CommandLine: "python run.py"}
	types := []descriptor.Type{descriptor.Number, descriptor.String, descriptor.Boolean, descriptor.Date, descriptor.ListDomain}
	for i := range n {
		id := fmt.Sprintf("parameter_%d", i)
		p := descriptor.Parameter{
			ID: id, Name: fmt.Sprintf("Parameter number %d", i), Type: types[i%len(types)], ValueKey: "[" + id + "]", Flag: "--" + id,
			Description: "What it does, <b>in short</b>: it changes how the program looks at an image.", Optional: i%3 == 0,
		}
		if p.Type == descriptor.Number {
			p.Default, p.Minimum = ptr(fmt.Sprint(i)), ptr("0")
		}
		a.Parameters = append(a.Parameters, client.Parameter{Parameter: p})
		a.CommandLine += " " + p.ValueKey
	}
	return a
}

func BenchmarkFormOf200Parameters(b *testing.B) {
	site := tuitest.New(b)
	a := large(200)
	keys := []string{
		"down", "down", "end", "pgup", "home", "/", "n", "u", "m", "b", "e", "r", "1", "0", "1", "enter", "enter", "a", "b", "c", "d", "e", "tab", "shift+tab", "esc", "x", "u", "n", "N",
	}
	worst := make([][]time.Duration, len(keys))
	for b.Loop() {
		press(paramform.New(site.Session, a, nil, nil), keys, worst)
	}
	bench.Report(b, "form/key-200-parameters", slowest(worst), "ms", 5, true)
}

// press presses keys on a form and notes how long each takes, to its picture.
func press(s nav.Screen, keys []string, times [][]time.Duration) {
	s.SetSize(120, 35)
	_ = s.View()
	for i, k := range keys {
		began := time.Now()
		s.Update(keymap.Press(k))
		_ = s.View()
		_ = s.Help()
		times[i] = append(times[i], time.Since(began))
	}
}

// slowest is the slowest key in milliseconds, each as it usually is: machines do
// other things too.
func slowest(keys [][]time.Duration) float64 {
	var slow time.Duration
	for _, times := range keys {
		slices.Sort(times)
		slow = max(slow, times[len(times)/2])
	}
	return float64(slow.Microseconds()) / 1000
}

func BenchmarkFormWith100000Chosen(b *testing.B) {
	site := tuitest.New(b)
	a := large(20)
	var ids, labels []string
	for i := range 100_000 {
		ids, labels = append(ids, fmt.Sprint(1000000+i)), append(labels, fmt.Sprintf("image %d.svs", i))
	}
	a.Parameters[4].URI = "/api/project/1/imageinstance.json"
	chosen := []client.Value{{Parameter: "parameter_4", Text: strings.Join(ids, ","), Labels: labels, Origin: client.FromAnalysis}}
	keys := []string{"home", "down", "down", "enter", "1", "2", "enter", "down", "end", "up", "enter", "a", "b", "enter"}
	times := make([][]time.Duration, len(keys))
	for b.Loop() {
		press(paramform.New(site.Session, a, chosen, nil), keys, times)
	}
	bench.Report(b, "form/key-100000-chosen", slowest(times), "ms", 16, true)
}
