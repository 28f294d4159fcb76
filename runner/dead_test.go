package runner

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// init lets the test binary stand in for a program whose first thread ends
// while others work, as pthread_exit in main does.
func init() {
	if os.Getenv("CYTORUN_TEST_FIRST_THREAD") == "" {
		return
	}
	runtime.LockOSThread()
	go func() {
		time.Sleep(time.Hour)
	}()
	_, _, _ = syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
}

func TestAProcessWhoseFirstThreadEndedIsNotDead(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "CYTORUN_TEST_FIRST_THREAD=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	p, err := ReadProc(cmd.Process.Pid)
	start := p.Start
	for deadline := time.Now().Add(time.Minute); err == nil && p.State != 'Z' && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		p, err = ReadProc(cmd.Process.Pid)
	}
	if err != nil || p.State != 'Z' || p.Threads < 2 {
		t.Fatalf("%+v, %v", p, err)
	}
	if p.Dead() || !Lives(p.PID, start) {
		t.Errorf("called dead: %+v", p)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Not waited for yet, it becomes a zombie without threads.
	for deadline := time.Now().Add(time.Minute); Lives(p.PID, start) && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
	}
	if Lives(p.PID, start) {
		t.Error("a zombie lives")
	}
}
