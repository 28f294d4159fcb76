package supervisor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/runner"
)

func TestARunGoesToItsEndAndTheServerKnows(t *testing.T) {
	s := newSite(t)
	run := s.ended(s.launch("say hello world"), runner.Succeeded)

	job := s.job()
	if job.status != 3 || job.progress != 100 || !strings.Contains(job.comment, run.ID) {
		t.Errorf("the server has %+v", job)
	}
	if run.Result == nil || !run.Result.Confirmed || run.Result.Exit == nil || run.Result.Exit.Code != 0 {
		t.Errorf("result %+v", run.Result)
	}
	out, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	if string(out) != "hello world\n" {
		t.Errorf("log %q", out)
	}
	st, err := os.Stat(filepath.Join(run.Folder, runner.LogFile))
	must(t, err)
	if st.Mode().Perm() != 0o600 {
		t.Errorf("log has mode %v", st.Mode())
	}
	if left, _ := os.ReadDir(filepath.Join(run.Folder, runner.OutboxDir)); len(left) != 0 {
		t.Errorf("outbox holds %v", left)
	}
}
