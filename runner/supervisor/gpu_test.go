package supervisor

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/gpu"
)

// fakeGPUs makes a driver of one GPU that computes nothing.
func fakeGPUs(t *testing.T) {
	t.Helper()
	bin := t.TempDir()
	must(t, os.WriteFile(filepath.Join(bin, "nvidia-smi"), []byte(`#!/bin/sh
case "$*" in
*compute-apps*) ;;
*) echo "0, GPU-5d3f0000, NVIDIA A10, 24564, 4, 0, 550.54.15" ;;
esac
`), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

func TestGPUsAreLeasedForAsLongAsTheProgramRuns(t *testing.T) {
	s := newSite(t)
	fakeGPUs(t)
	words, end := until(t)
	spec := s.spec(words)
	spec.Resources.GPUs = 1
	first := s.create(spec)
	s.start(first)
	first, started := s.running(first)
	if env, _ := os.ReadFile("/proc/" + itoa(started.PID) + "/environ"); !strings.Contains(string(env), "CUDA_VISIBLE_DEVICES=GPU-5d3f0000\x00") {
		t.Errorf("environment %q", env)
	}
	spec = s.spec("say hi")
	spec.Resources.GPUs = 1
	second := s.create(spec)
	s.start(second)
	within(t, "the second says what it waits for", func() bool {
		r, err := runner.ReadFolder(second.Folder)
		return err == nil && strings.HasPrefix(r.Reason, "waiting for 1 GPU: GPU 0 has run "+first.ID+" of ")
	})
	box := gpu.Look(t.Context())
	if len(box.GPUs) != 1 || len(box.GPUs[0].Leases) != 1 || box.GPUs[0].Leases[0].Run != first.ID || len(box.Waiting) != 1 {
		t.Errorf("%+v", box)
	}
	within(t, "three samples", func() bool {
		u, ok := gpu.ReadUse(filepath.Join(first.Folder, "gpu.json"))
		return ok && u.Samples >= 3
	})
	end("0")
	first = s.ended(first, runner.Succeeded)
	if r := first.Result; r.GPU == nil || r.GPU.GPUs[0] != "GPU-5d3f0000" || !strings.Contains(strings.Join(r.Warnings, ";"), "never used") {
		t.Errorf("%+v", r)
	}
	s.ended(second, runner.Succeeded)
	rs, err := gpu.ReadUsage("", time.Time{})
	if err != nil || len(rs) != 2 || len(rs[0].GPUs) != 1 {
		t.Errorf("%+v %v", rs, err)
	}
	if box := gpu.Look(t.Context()); len(box.GPUs[0].Leases)+len(box.Slots)+len(box.Waiting) != 0 {
		t.Errorf("left %+v", box)
	}
}

func TestARunForGPUsThatAreNotThereFails(t *testing.T) {
	s := newSite(t)
	fakeGPUs(t)
	spec := s.spec("say hi")
	spec.Resources.Devices = []string{"3"}
	run := s.create(spec)
	s.start(run)
	run = s.ended(run, runner.Failed)
	if !strings.Contains(run.Reason, "there is no GPU 3, it has GPU 0 (GPU-5d3f0000)") {
		t.Errorf("%q", run.Reason)
	}
}

// A program goes on when its keeper is killed, and so does what it has of the box.
func TestAProgramKeepsItsGPUsWhenItsKeeperIsKilled(t *testing.T) {
	if !kernelTellsExit() {
		t.Skip("this kernel does not tell a stranger the exit code (Linux 6.15), so the program is ended")
	}
	for name, withSupervisor := range map[string]bool{"supervisor alive": true, "supervisor killed too": false} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			fakeGPUs(t)
			words, end := until(t)
			spec := s.spec(words)
			spec.Resources.GPUs = 1
			run := s.create(spec)
			s.start(run)
			run, started := s.running(run)
			if !withSupervisor {
				kill(t, s.supervisor(run), syscall.SIGKILL)
			}
			kill(t, started.Keep, syscall.SIGKILL)
			if !withSupervisor {
				s.recover()
			}
			within(t, "the program is looked after again", func() bool { return locked(t, filepath.Join(run.Folder, runner.AliveFile)) })
			within(t, "it has its GPU and its turn again", func() bool {
				box := gpu.Look(t.Context())
				return len(box.Slots) == 1 && len(box.GPUs) == 1 && len(box.GPUs[0].Leases) == 1 &&
					box.GPUs[0].Leases[0].Run == run.ID && box.GPUs[0].Leases[0].PID == started.PID
			})
			end("0")
			s.ended(run, runner.Succeeded)
			if box := gpu.Look(t.Context()); len(box.GPUs[0].Leases)+len(box.Slots) != 0 {
				t.Errorf("left %+v", box)
			}
		})
	}
}
