package logfile

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cytorun/cytorun/internal/bench"
)

// ms is how long f takes, the median of some times.
func ms(times int, f func()) float64 {
	var all []float64
	for range times {
		start := time.Now()
		f()
		all = append(all, float64(time.Since(start).Microseconds())/1000)
	}
	slices.Sort(all)
	return all[times/2]
}

// anonymous is the anonymous memory of this process in MB, from the kernel.
func anonymous(b *testing.B) float64 {
	b.Helper()
	data, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		b.Skip("needs /proc/self/smaps_rollup")
	}
	for _, l := range bytes.Split(data, []byte{'\n'}) {
		if rest, ok := bytes.CutPrefix(l, []byte("Anonymous:")); ok {
			kb, err := strconv.ParseFloat(strings.Fields(string(rest))[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1000
		}
	}
	b.Fatal("no anonymous memory told")
	return 0
}

func BenchmarkBigLog(b *testing.B) {
	path := bench.BigLog(b)
	runtime.GC()
	debug.FreeOSMemory()
	ctx := context.Background()
	screen := func(l *Log, at int64) {
		got, err := l.Lines(ctx, at, 50, View{})
		if err != nil || len(got) != 50 {
			b.Fatal(len(got), err)
		}
	}
	open := func() *Log {
		l, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		return l
	}
	for b.Loop() {
		bench.Report(b, "log/first-paint-1GB", ms(9, func() {
			l := open()
			screen(l, 0)
			b.StopTimer()
			l.Close()
			b.StartTimer()
		}), "ms", 20, true)
		bench.Report(b, "log/open-at-end-1GB", ms(9, func() {
			l := open()
			got, err := l.Before(ctx, l.Size(), 50, View{})
			if err != nil || len(got) != 50 {
				b.Fatal(len(got), err)
			}
			b.StopTimer()
			l.Close()
			b.StartTimer()
		}), "ms", 20, true)

		l := open()
		start := time.Now()
		for {
			if _, done := l.Count(); done {
				break
			}
			time.Sleep(time.Millisecond)
		}
		bench.Report(b, "log/count-lines-1GB", float64(time.Since(start).Milliseconds()), "ms", 1000, true)
		for {
			if _, _, done := l.Errors(); done {
				break
			}
			time.Sleep(time.Millisecond)
		}
		bench.Report(b, "log/find-errors-1GB", float64(time.Since(start).Milliseconds()), "ms", 5000, true)
		if _, total, _ := l.Errors(); total != bench.ErrorsInBigLog {
			b.Fatal("errors found: ", total)
		}

		search := func(name string, p *Pattern, err error, from int64, backward, found bool, goal float64) {
			if err != nil {
				b.Fatal(err)
			}
			bench.Report(b, name, ms(3, func() {
				off, ok, err := l.Search(ctx, p, from, backward, nil)
				if err != nil || ok != found {
					b.Fatal(ok, err)
				}
				if n, _ := l.Number(off); found && n < 4_900_000 {
					b.Fatal("found in line ", n)
				}
			})/1000, "s", goal, true)
		}
		p, err := Literal(bench.Needle, false)
		search("log/literal-to-line-5M", p, err, 0, false, true, 0.3)
		search("log/literal-back-to-line-5M", p, err, l.Size(), true, true, 0.3)
		p, err = Regexp(`needle.*IN-LINE-\d+`, true)
		search("log/regexp-ignoring-case-to-line-5M", p, err, 0, false, true, 3)
		p, err = Regexp(`segmentation.*(fault|violation)`, true)
		search("log/regexp-ignoring-case-1GB", p, err, 0, false, false, 3)

		v := View{Filter: p}
		if v.Filter, err = Literal("Traceback", false); err != nil {
			b.Fatal(err)
		}
		v.Context = 2
		bench.Report(b, "log/filter-1GB", ms(1, func() {
			if _, err := l.Lines(ctx, 0, 1000, v); err != nil {
				b.Fatal(err)
			}
		})/1000, "s", 2, true)
		bench.Report(b, "log/first-error-1GB", ms(3, func() {
			if s, ok := FirstError(l.Bytes(0, l.Size()), l.Size()); !ok || s == "" {
				b.Fatal("none")
			}
		}), "ms", 200, true)
		screen(l, l.Start(l.Size()/2))
		bench.Report(b, "log/anonymous-memory-1GB", anonymous(b), "MB", 40, true)
		l.Close()
	}
}

func BenchmarkFollow(b *testing.B) {
	path := filepath.Join(b.TempDir(), "output.log")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	l, err := Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for b.Loop() {
		// 50,000 lines a second for three seconds, and a reader that looks like
		// the viewer, ten times a second, and reads a screen.
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		var before, after syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
		done := make(chan struct{})
		go func() {
			defer close(done)
			t := time.NewTicker(time.Millisecond)
			defer t.Stop()
			var buf []byte
			for ctx.Err() == nil {
				<-t.C
				buf = buf[:0]
				for range 50 {
					buf = append(buf, "2026-11-20 14:32:05 INFO tile segmented, 123 objects, mean area 12.5 px, batch 1 of 99999\n"...)
				}
				if _, err := f.Write(buf); err != nil {
					b.Error(err)
					return
				}
			}
		}()
		worst := time.Duration(0)
		last := time.Now()
		for ctx.Err() == nil {
			time.Sleep(100 * time.Millisecond)
			if _, err := l.Poll(); err != nil {
				b.Fatal(err)
			}
			got, err := l.Before(ctx, l.Size(), 50, View{})
			if ctx.Err() != nil {
				break
			}
			if err != nil || len(got) == 0 {
				b.Fatal(len(got), err)
			}
			// What was written since the last look is on the screen only now.
			now := time.Now()
			worst = max(worst, now.Sub(last))
			last = now
		}
		cancel()
		<-done
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
		bench.Report(b, "log/follow-50k-lines-behind", float64(worst.Microseconds())/1000, "ms", 150, true)
		bench.Report(b, "log/follow-50k-lines-cpu", 100*cpu.Seconds()/3, "%", 50, true)
	}
}
