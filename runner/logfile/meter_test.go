package logfile

import "testing"

func TestMeterReadsProgress(t *testing.T) {
	for _, c := range []struct {
		name, out string
		want      int // -1: none
	}{
		{"nothing", "loading model\n", -1},
		{"a tqdm bar", "\r  0%|          | 0/100 [00:00<?, ?it/s]\r 45%|████▌     | 45/100 [00:04<00:05, 9.8it/s]", 45},
		{"a tqdm bar with a name", "tiles:  45%|####  | 45/100 [00:04<00:05]\r", 45},
		{"an epoch", "Epoch 3/10\n", 20},
		{"a bar in an epoch", "Epoch 3/10\n 50%|###   | 5/10\r", 25},
		{"a Keras bar in an epoch", "Epoch 2/4\n 50/100 [==========>.........] - ETA: 0:12 - loss: 0.3", 37},
		{"both on one line", "Epoch 2/4:  50%|###   | 5/10\r", 37},
		{"steps", "step 12 of 48\n", 25},
		{"brackets", "[3/10] tile_3.png\n", 30},
		{"a word", "progress: 45 %\n", 45},
		{"the latest counts", " 10%|#  | 1/10\r 20%|## | 2/10\r", 20},
		{"a download does not", "Downloading: 45%|####  | 45M/100M [00:01<00:01, 45MB/s]\r", -1},
		{"a share of something is no progress", "accuracy 45% on class 3\n", -1},
		{"a date is none", "2026/11/20 3/10/2026 started\n", -1},
		{"loss figures are none", "loss 3/4 weighted\n", -1},
		{"percent without a number", "%|x\n", -1},
		{"more than all is none", "progress: 145 %\n", -1},
		{"colours do not hide it", "\x1b[32m 45%\x1b[0m|####  | 45/100\r", 45},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, step := range []int{len(c.out), 1, 3} {
				var m Meter
				for i := 0; i < len(c.out); i += step {
					if _, err := m.Write([]byte(c.out[i:min(i+step, len(c.out))])); err != nil {
						t.Fatal(err)
					}
				}
				got, ok := m.Progress()
				if !ok {
					got = -1
				}
				if got != c.want {
					t.Errorf("in pieces of %d: got %d, want %d", step, got, c.want)
				}
			}
		})
	}
}

func FuzzMeter(f *testing.F) {
	f.Add([]byte(" 45%|####  | 45/100\rEpoch 3/10\n"), 3)
	f.Add([]byte("step 999999999/1 of %"), 1)
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		step = max(1, step%100)
		var m Meter
		for i := 0; i < len(b); i += step {
			n, err := m.Write(b[i:min(i+step, len(b))])
			if err != nil || n != min(step, len(b)-i) {
				t.Fatal(n, err)
			}
			if p, _ := m.Progress(); p < 0 || p > 100 {
				t.Fatalf("progress %d", p)
			}
		}
		if len(m.line) > maxProgressLine {
			t.Fatalf("keeps %d bytes", len(m.line))
		}
	})
}
