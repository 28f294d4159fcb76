package app

import (
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/runner"
)

func TestTimeLimitsAreReadAndWrittenAlike(t *testing.T) {
	for typed, want := range map[string]time.Duration{
		"": 0, "90m": 90 * time.Minute, "2h30m": 150 * time.Minute, " 1 D 12H ": 36 * time.Hour, "45s": 45 * time.Second, "5min": 5 * time.Minute,
	} {
		got, err := ParseTimeLimit(typed)
		if err != nil || got != want {
			t.Errorf("%q: %s, %v", typed, got, err)
		}
		if want == 0 {
			continue
		}
		if again, err := ParseTimeLimit(FormatTimeLimit(got)); err != nil || again != want {
			t.Errorf("%q is written as %q: %v", typed, FormatTimeLimit(got), err)
		}
	}
	for d, want := range map[time.Duration]string{90 * time.Minute: "1h30m", 2 * time.Hour: "2h", 10 * time.Minute: "10m", 61 * time.Second: "1m1s", 36 * time.Hour: "36h"} {
		if got := FormatTimeLimit(d); got != want {
			t.Errorf("%s: %q", d, got)
		}
	}
	for typed, says := range map[string]string{"5": "5 of what", "soon": "is not a time", "0m": "between", "400d": "between", "99999999999999999999s": "too long", "1h\x1b[31m": "is not a time"} {
		if _, err := ParseTimeLimit(typed); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

func TestLimitsThatDoNotHoldAreToldBeforeTheLaunch(t *testing.T) {
	s := &Session{}
	r := LaunchRequest{Runtime: runner.Process, Resources: runner.Resources{TimeLimit: time.Hour}}
	if c := s.checkLimits(r); !c.OK || c.Warn || c.Text != "at most 1h00m" {
		t.Errorf("%+v", c)
	}
	r.CPUs = 2
	if c := s.checkLimits(r); !c.OK || !c.Warn || !strings.Contains(c.Text, "containers only") {
		t.Errorf("%+v", c)
	}
}

func TestWhatARunTookIsSaidInALine(t *testing.T) {
	run := runner.Run{Result: &runner.Result{
		Exit: &runner.Exit{MaxRSS: 1_200_000_000, CPU: 184},
		GPU:  &runner.GPUUse{Samples: 9, Memory: 8_600_000_000, Load: 61.2, PeakLoad: 98},
	}}
	if got, want := Used(run), "memory at most 1.1 GiB, 3m04s of CPU, GPU memory at most 8 GiB, GPU load 61 %, at most 98 %"; got != want {
		t.Errorf("%q", got)
	}
	if got := Used(runner.Run{}); got != "" {
		t.Errorf("%q", got)
	}
	var keys []string
	for _, e := range usedFacts(*run.Result) {
		keys = append(keys, e.Key+" "+e.Text)
	}
	if got, want := strings.Join(keys, ", "), "peak memory 1.1 GiB, cpu time 3m04s, gpu peak memory 8 GiB, gpu load 61"; got != want {
		t.Errorf("%q", got)
	}
}
