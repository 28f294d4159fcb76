package logfile

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func redact(t *testing.T, in string, step int, secrets ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := Redact(&out, secrets)
	for i := 0; i < len(in); i += step {
		if _, err := io.WriteString(w, in[i:min(i+step, len(in))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRedactInPiecesOfAnySize(t *testing.T) {
	for _, c := range []struct {
		name, in string
		secrets  []string
		want     string
	}{
		{"one", "key=s3cr3t-key end", []string{"s3cr3t-key"}, "key=•••• end"},
		{"two, again and again", "aaaa1 bbbb2 aaaa1", []string{"aaaa1", "bbbb2"}, "•••• •••• ••••"},
		{"side by side", "aaaa1aaaa1", []string{"aaaa1"}, "••••••••"},
		{"the longer of two", "secret-long x", []string{"secret", "secret-long"}, "•••• x"},
		{"the first of two that overlap", "abcdefgh", []string{"abcdef", "cdefgh"}, "••••gh"},
		{"a beginning only", "s3cr3t-ke", []string{"s3cr3t-key"}, "s3cr3t-ke"},
		{"none", "text", nil, "text"},
		{"short ones are left", "a b", []string{"a", ""}, "a b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for step := 1; step <= len(c.in); step++ {
				if got := redact(t, c.in, step, c.secrets...); got != c.want {
					t.Fatalf("in pieces of %d: %q, want %q", step, got, c.want)
				}
			}
		})
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestRedactTellsOfABrokenWriter(t *testing.T) {
	w := Redact(brokenWriter{}, []string{"secret"})
	_, err := w.Write(bytes.Repeat([]byte("x"), 100))
	if err == nil || w.Close() == nil {
		t.Error("no error")
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("key s3cr3t-key, s3cr3t-keys3cr3t-key", "s3cr3t-key", "3t-key", 3)
	f.Fuzz(func(t *testing.T, in, a, b string, step int) {
		step = max(1, step%64)
		got := redact(t, in, step, a, b)
		if whole := redact(t, in, max(1, len(in)), a, b); got != whole {
			t.Fatalf("in pieces of %d %q, at once %q", step, got, whole)
		}
		if len(a) >= minSecret && !strings.Contains(string(mask), a) && strings.Contains(strings.ReplaceAll(got, string(mask), "\x00"), a) && !strings.ContainsAny(a, "\x00•") {
			t.Fatalf("%q still holds %q", got, a)
		}
	})
}

func TestCap(t *testing.T) {
	long := strings.Repeat("0123456789\n", 1000)
	for _, c := range []struct {
		name       string
		in         string
		head, tail int64
		want       string
	}{
		{"a short log is whole", "a\nb\n", 100, 100, "a\nb\n"},
		{"a long one is cut at lines", long, 30, 30, "0123456789\n0123456789\n[... 11 kB left out ...]\n0123456789\n0123456789\n"},
		{"a head alone", long, 30, 0, "0123456789\n0123456789\n[... 11 kB left out ...]\n"},
		{"one without lines", strings.Repeat("x", 10000), 5, 5, "xxxxx\n[... 10 kB left out ...]\nxxxxx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := io.ReadAll(Cap(strings.NewReader(c.in), int64(len(c.in)), c.head, c.tail))
			if err != nil || string(got) != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestTimesOfALog(t *testing.T) {
	t0 := time.UnixMilli(1795183925000)
	var b bytes.Buffer
	for i := range 5 {
		b.Write(TimeRecord(int64(100*(i+1)), t0.Add(time.Duration(i)*time.Second)))
	}
	b.WriteString("0000000000009") // torn
	times := NewTimes(bytes.NewReader(b.Bytes()), int64(b.Len()))
	for off, want := range map[int64]time.Duration{0: 0, 99: 0, 100: time.Second, 499: 4 * time.Second} {
		if got, ok := times.At(off); !ok || !got.Equal(t0.Add(want)) {
			t.Errorf("At(%d) = %v, %v", off, got.Sub(t0), ok)
		}
	}
	if _, ok := times.At(500); ok {
		t.Error("a time for what is not yet known")
	}
	for since, want := range map[time.Duration]int64{-time.Hour: 0, 0: 0, 1500 * time.Millisecond: 200, time.Hour: 500} {
		if got := times.Offset(t0.Add(since)); got != want {
			t.Errorf("Offset(%v) = %d, want %d", since, got, want)
		}
	}
	var none *Times
	if _, ok := none.At(1); ok || none.Offset(t0) != 0 {
		t.Error("times of nothing")
	}
}

func FuzzTimes(f *testing.F) {
	f.Add([]byte("000000000001234 1795183925123\n"), int64(3))
	f.Fuzz(func(t *testing.T, b []byte, off int64) {
		times := NewTimes(bytes.NewReader(b), int64(len(b)))
		times.At(off)
		times.Offset(time.UnixMilli(off % (1 << 50)))
	})
}
