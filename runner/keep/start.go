package keep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/cytorun/cytorun/runner"
)

// Start starts `exe keep FOLDER` and returns when the program of the plan runs,
// or why it does not. The leases are handed on: their locks are held until keep
// ends. After an error nothing of the run is left running.
func Start(folder, exe string, plan Plan, leases []*os.File) (runner.Started, error) {
	plan.Schema = runner.Schema
	data, err := json.Marshal(plan)
	if err != nil {
		return runner.Started{}, fmt.Errorf("cannot start the program: %w", err)
	}
	ackRead, ackWrite, err := os.Pipe()
	if err != nil {
		return runner.Started{}, err
	}
	defer ackRead.Close()
	defer ackWrite.Close()
	stderr, err := os.OpenFile(filepath.Join(folder, runner.SupervisorLog), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return runner.Started{}, err
	}
	defer stderr.Close()
	cmd := exec.Command(exe, "keep", folder)
	cmd.Dir = "/"
	// One thread of Go code is enough to wait, and costs the least memory.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GOMAXPROCS=1", "GOGC=20"}
	cmd.Stderr = stderr
	cmd.ExtraFiles = append([]*os.File{ackWrite}, leases...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return runner.Started{}, err
	}
	if err := cmd.Start(); err != nil {
		return runner.Started{}, fmt.Errorf("cannot start the container's keeper: %w", err)
	}
	go func() { _ = cmd.Wait() }()
	_ = ackWrite.Close()
	go func() {
		_, _ = stdin.Write(data) // a keeper that died says so by its answer
		_ = stdin.Close()
	}()
	var a answerLine
	if err := json.NewDecoder(ackRead).Decode(&a); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ended before the container ran")
		}
		return runner.Started{}, fmt.Errorf("the container's keeper failed: %w; see %s", err, stderr.Name())
	}
	if a.Started == nil {
		return runner.Started{}, errors.New(a.Error)
	}
	return *a.Started, nil
}
