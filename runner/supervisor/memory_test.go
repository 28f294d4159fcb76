package supervisor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

// memoryGroup makes a memory group with a limit, where this process may.
func memoryGroup(t *testing.T, limit string) string {
	t.Helper()
	for parent, file := range map[string]string{"/sys/fs/cgroup/memory": "memory.limit_in_bytes", "/sys/fs/cgroup": "memory.max"} {
		group := filepath.Join(parent, "cytorun-test-"+itoa(os.Getpid()))
		if os.Mkdir(group, 0o700) != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(group) })
		if os.WriteFile(filepath.Join(group, file), []byte(limit), 0) == nil {
			return group
		}
	}
	t.Skip("may make no memory group here")
	return ""
}

func TestARunThatLostAPartForWantOfMemoryFailsAlthoughItEndsWithZero(t *testing.T) {
	group := memoryGroup(t, "200M")
	s := newSite(t)
	// The program and its keeper are in the group: a supervisor there might be
	// the one that the kernel chooses.
	script := filepath.Join(t.TempDir(), "cytorun")
	must(t, os.WriteFile(script, []byte("#!/bin/sh\n[ \"$1\" != keep ] || echo $$ > "+group+"/cgroup.procs\nexec "+s.exe+" \"$@\"\n"), 0o700))
	run := s.create(s.spec("hog 500"))
	must(t, Start(run.Folder, script, client.Keys{}))
	run = s.state(run, runner.Failed, runner.Succeeded)
	out, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	if !strings.Contains(string(out), "killed") {
		t.Skipf("nothing was killed here: %s", out)
	}
	run = s.ended(run, runner.Failed)
	if !strings.Contains(run.Reason, "want of memory") || run.Result.Exit.Code != 0 || !strings.Contains(run.Result.Advice, "memory") {
		t.Errorf("reason %q, result %+v", run.Reason, run.Result)
	}
	if job := s.job(); job.status != 4 {
		t.Errorf("server has %+v", job)
	}
}
