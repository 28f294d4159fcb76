package logfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func seriesOf(t *testing.T, log string) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "output.log")
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	all, err := l.Series(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, s := range all {
		var b strings.Builder
		for _, p := range s.Points {
			fmt.Fprintf(&b, "%g@%g ", p.Value, p.Epoch)
		}
		out[s.Name] = strings.TrimSpace(b.String())
	}
	return out
}

func TestNumbersAreReadOutOfALog(t *testing.T) {
	for name, c := range map[string]struct{ log, series, want string }{
		"as our trainer writes": {"15:07:01.1 epoch 1/3 - loss: 0.9 - val_loss: 1.0\n15:07:01.2 epoch 2/3 - loss: 0.5 - val_loss: 0.7\nepoch 3/3 - loss: 0.4 - val_loss: 0.6\n",
			"val_loss", "1@1 0.7@2 0.6@3"},
		"as keras writes":         {"Epoch 1/3\n 1/8 [>..] - loss: 0.9\r 8/8 [==] - loss: 0.5 - accuracy: 0.8\nEpoch 2/3\n8/8 [==] - loss: 0.4\nEpoch 3/3\n8/8 - loss: 0.3\n", "loss", "0.5@1 0.4@2 0.3@3"},
		"with equals":             {"step=10 lr=1e-3 loss=2.5\nstep=20 lr=5e-4 loss=2\nstep=30 lr=1e-4 loss=1.5\n", "lr", "0.001@10 0.0005@20 0.0001@30"},
		"two words":               {"Train loss: 3\nTrain Loss: 2\nTRAIN loss: -1.5\n", "train loss", "3@0 2@0 -1.5@0"},
		"in colours":              {"\x1b[32mdice: 0.1\x1b[0m\ndice: \x1b[1m0.2\x1b[0m\ndice: 0.3\n", "dice", "0.1@0 0.2@0 0.3@0"},
		"as a dictionary":         {"{'loss': 1.5, 'epoch': 0.1}\n{'loss': 1.4, 'epoch': 0.2}\n{\"loss\": 1.2, \"epoch\": 0.3}\n", "loss", "1.5@0 1.4@0.1 1.2@0.2"},
		"progress":                {" 10%|#  | 1/10\r 50%|## | 5/10\n 70%|###\n100%|####| 10/10\n", "progress", "50@0 70@0 100@0"},
		"times are no numbers":    {"at: 12:30:01\nat: 12:30:02\nat: 12:30:05\n", "at", ""},
		"addresses are not":       {"http://box:8080/a\nhttp://box:8081/a\nhttp://box:8082/a\n", "box", ""},
		"units are not":           {"took: 3s\ntook: 4s\ntook: 5s\n", "took", ""},
		"versions are not":        {"v: 1.2.3\nv: 1.2.4\nv: 1.2.5\n", "v", ""},
		"a constant says nothing": {"seed: 42\nseed: 42\nseed: 42\n", "seed", ""},
		"nan and inf":             {"loss: nan\nloss: inf\nloss: 1\nloss: 2\nloss: 3\n", "loss", "1@0 2@0 3@0"},
		"only escapes":            {"\x1b[0m\x1b[0m\n\x00\x00=\x00\n\r\r\r\n", "", ""},
	} {
		if got := seriesOf(t, c.log)[c.series]; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestALongSeriesKeepsItsShapeInBoundedMemory(t *testing.T) {
	var b strings.Builder
	const n = 30_000
	for i := range n {
		fmt.Fprintf(&b, "loss: %d\n", i)
	}
	path := filepath.Join(t.TempDir(), "output.log")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	if err := os.WriteFile(strings.TrimSuffix(path, ".log")+".times", TimeRecord(int64(b.Len()), at), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	all, err := l.Series(context.Background(), nil)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	p := all[0].Points
	if len(p) > 2*maxPoints || p[0].Value != 0 || p[len(p)-1].Value < n-20 || !p[0].Time.Equal(at) {
		t.Errorf("%d points from %v to %v", len(p), p[0], p[len(p)-1])
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Series(ctx, nil); err == nil {
		t.Error("a cancelled reading went on")
	}
}

func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"loss: 1", "a=b=1", ":::", "x= -1e", "é: 5", "=", "a:.e-+"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		numbers(strings.ToLower(s), func(name string, _ float64) {
			if name == "" {
				t.Error("a number without a name")
			}
		})
		c := &collector{series: map[string]*Series{}}
		c.line(span{data: []byte(s)})
		c.done()
	})
}
