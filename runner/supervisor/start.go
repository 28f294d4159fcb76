package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

// Descriptors on which the parent waits for the supervisor, and hands it keys.
const (
	readyFD = 3
	keysFD  = 4
)

// answers of a supervisor to its parent.
const (
	answerReady = "ready"
	answerBusy  = "busy" // another supervisor has the run: as good
)

// startPatience is how long a supervisor may take to say that it works.
const startPatience = 20 * time.Second

// Start starts `exe supervise FOLDER` apart from this process: in its own
// session, without a terminal, with no descriptor of ours. It returns when a
// supervisor holds the run, or says why none does. keys are handed over through
// a pipe; leave them empty where the run's profile has them.
func Start(folder, exe string, keys client.Keys) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	readyRead, readyWrite, err := os.Pipe()
	if err != nil {
		return err
	}
	defer readyRead.Close()
	defer readyWrite.Close()
	keysRead, keysWrite, err := os.Pipe()
	if err != nil {
		return err
	}
	defer keysRead.Close()
	defer keysWrite.Close()
	logPath := filepath.Join(folder, runner.SupervisorLog)
	stderr, err := os.OpenFile(logPath, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("cannot start the supervisor: %w", err)
	}
	defer stderr.Close()

	argv := append(scope(exe), "supervise", "--ready-fd", fmt.Sprint(readyFD), "--keys-fd", fmt.Sprint(keysFD), folder)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = "/"
	cmd.Env = withoutKeys(os.Environ())
	cmd.Stderr = stderr
	cmd.ExtraFiles = []*os.File{readyWrite, keysRead}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start the supervisor: %w", err)
	}
	go func() { _ = cmd.Wait() }() // a screen that lives long leaves no zombies
	_ = readyWrite.Close()
	// Two keys always fit into the pipe.
	if err := json.NewEncoder(keysWrite).Encode(keys); err != nil {
		return fmt.Errorf("cannot hand the keys to the supervisor: %w", err)
	}
	_ = keysWrite.Close()

	_ = readyRead.SetReadDeadline(time.Now().Add(startPatience))
	said, err := io.ReadAll(readyRead)
	answer := strings.TrimSpace(string(said))
	switch {
	case answer == answerReady || answer == answerBusy:
		return nil
	case answer != "":
		return errors.New(answer)
	case err != nil:
		return fmt.Errorf("the supervisor does not answer: %w; see %s", err, logPath)
	}
	return fmt.Errorf("the supervisor ended at once; see %s", logPath)
}

// withoutKeys takes the keys of a person out of an environment: what a process
// was started with can be read as long as it lives.
func withoutKeys(env []string) []string {
	var out []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if upper := strings.ToUpper(name); strings.HasPrefix(upper, "CYTOMINE_") && strings.Contains(upper, "KEY") ||
			strings.HasPrefix(upper, "EXACT_") && (strings.Contains(upper, "TOKEN") || strings.Contains(upper, "PASS")) {
			continue
		}
		out = append(out, kv)
	}
	return out
}
