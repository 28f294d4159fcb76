package picker

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/bench"
	"github.com/cytorun/cytorun/tui/keymap"
)

var images = descriptor.Parameter{
	ID: "images", Type: descriptor.ListDomain, URI: "/api/project/1/imageinstance.json",
	URIPrint: "instanceFilename", URISort: "instanceFilename",
}

// slides makes options like the images of a project.
func slides(n int) []client.Option {
	stains := []string{"HE", "Ki67", "CD3", "PanCK"}
	out := make([]client.Option, n)
	for i := range out {
		out[i] = client.Option{ID: client.ID(1000 + i), Fields: client.MakeFields(map[string]string{
			"instanceFilename":    fmt.Sprintf("cohort-%c/Patient_%05d_%s_block%d.svs", 'A'+i%5, i*7919%100000, stains[i%4], i%12),
			"numberOfAnnotations": fmt.Sprint(i % 50), "reviewed": fmt.Sprint(i%3 == 0), "created": fmt.Sprint(1580000000000 + i*60000),
			"width": "98304", "height": "65536", "class": "be.cytomine.image.ImageInstance",
		})}
	}
	return out
}

// press presses keys and notes the longest wait that each of them causes, to the
// picture of it.
func press(p *Picker, keys []string, times [][]time.Duration) {
	for i, k := range keys {
		began := time.Now()
		cmd, _ := p.Update(keymap.Press(k))
		_ = p.View()
		worst := time.Since(began)
		for cmd != nil { // the rest of a long search
			began := time.Now()
			cmd, _ = p.Update(cmd())
			_ = p.View()
			worst = max(worst, time.Since(began))
		}
		times[i] = append(times[i], worst)
	}
}

// slowest is the slowest key in milliseconds, each as it usually is: machines do
// other things too.
func slowest(keys [][]time.Duration) float64 {
	worst := 0.0
	for _, times := range keys {
		worst = max(worst, median(times))
	}
	return worst
}

// median in milliseconds.
func median(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/2].Microseconds()) / 1000
}

func BenchmarkPickerOf100000(b *testing.B) {
	list := NewList(images, slides(100_000), true, nil)
	typed := map[string][]string{
		"words":  {"/", "k", "i", "6", "7", "space", "1", "2", "3", "backspace", "backspace"},
		"glob":   {"/", "*", "_", "h", "e", "*", "3", "?", "s", "v", "s"},
		"regexp": {"/", "/", "p", "a", "t", "\\", "d", "+", "_", "[", "H", "]", "E", "/"},
		"fields": {"/", "r", "e", "v", ":", "y", "e", "s", "space", "a", "n", "n", "o", "t", "a", ":", "1", "2"},
	}
	for _, name := range []string{"words", "glob", "regexp", "fields"} {
		b.Run(name, func(b *testing.B) {
			keys := typed[name]
			times := make([][]time.Duration, len(keys))
			for b.Loop() {
				p := New(Options{Title: "images", Many: true, List: list})
				p.SetSize(120, 35)
				press(p, keys, times)
			}
			bench.Report(b, "picker/key-100000-"+name, slowest(times), "ms", 16, true)
		})
	}
	b.Run("marks", func(b *testing.B) {
		keys := []string{"down", "space", "G", "pgup", "a", "i", "c"}
		times := make([][]time.Duration, len(keys))
		for b.Loop() {
			p := New(Options{Title: "images", Many: true, List: list})
			p.SetSize(120, 35)
			press(p, keys, times)
		}
		bench.Report(b, "picker/mark-all-100000", slowest(times), "ms", 16, true)
	})
}

// wide makes options with as many attributes as the images of a real server
// have, packed as they come from one.
func wide(n int) []client.Option {
	var pack client.FieldPacker
	out := make([]client.Option, n)
	for i, o := range slides(n) {
		for name, value := range o.Fields.All() {
			pack.Add([]byte(name), []byte(value))
		}
		for k := range 24 { // what images have in common
			pack.Add(fmt.Appendf(nil, "attribute%d", k), fmt.Appendf(nil, "value %d", (i+k)%40))
		}
		for k := range 6 { // what is theirs alone
			pack.Add(fmt.Appendf(nil, "path%d", k), fmt.Appendf(nil, "/data/images/%d/Patient_%05d_%d.svs", 1478+i, i, k))
		}
		out[i] = client.Option{ID: o.ID, Fields: pack.Fields()}
	}
	return out
}

func BenchmarkListOf100000(b *testing.B) {
	before := heap()
	options := wide(100_000)
	list := NewList(images, options, true, nil)
	grown := heap() - before
	var all []time.Duration
	for b.Loop() {
		again := slices.Clone(options)
		began := time.Now()
		NewList(images, again, true, nil)
		all = append(all, time.Since(began))
	}
	bench.Report(b, "picker/order-100000", median(all), "ms", 500, true)
	bench.Report(b, "picker/memory-100000", float64(grown)/1e6, "MB", 60, true)
	runtime.KeepAlive(options)
	runtime.KeepAlive(list)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
