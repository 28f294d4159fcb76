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

// Keeper is a started `keep` that waits for its plan.
type Keeper struct {
	plan *os.File // write end; closing it without a plan ends keep
	ack  *os.File
	log  string // where keep complains
}

// Prepare starts `exe keep FOLDER` ahead of time: starting a process takes
// longer than all that keep does before the program runs. The leases are handed
// on: their locks are held until keep ends. If this process dies, keep ends too
// as long as it has no plan.
func Prepare(folder, exe string, leases []*os.File) (*Keeper, error) {
	planRead, planWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer planRead.Close()
	ackRead, ackWrite, err := os.Pipe()
	if err != nil {
		_ = planWrite.Close()
		return nil, err
	}
	defer ackWrite.Close()
	k := &Keeper{plan: planWrite, ack: ackRead, log: filepath.Join(folder, runner.SupervisorLog)}
	stderr, err := os.OpenFile(k.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		k.Dismiss()
		return nil, err
	}
	defer stderr.Close()
	cmd := exec.Command(exe, "keep", folder)
	cmd.Dir = "/"
	// One thread of Go code is enough to wait, and costs the least memory.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GOMAXPROCS=1", "GOGC=20"}
	cmd.Stdin, cmd.Stderr = planRead, stderr
	cmd.ExtraFiles = append([]*os.File{ackWrite}, leases...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		k.Dismiss()
		return nil, fmt.Errorf("cannot start the container's keeper: %w", err)
	}
	go func() { _ = cmd.Wait() }()
	return k, nil
}

// Start hands keep its plan and returns when the program runs, or why it does
// not. After an error nothing of the run is left running.
func (k *Keeper) Start(plan Plan) (runner.Started, error) {
	defer k.Dismiss()
	plan.Schema = runner.Schema
	// A keeper that died says so by its missing answer.
	_ = json.NewEncoder(k.plan).Encode(plan)
	_ = k.plan.Close()
	var a answerLine
	if err := json.NewDecoder(k.ack).Decode(&a); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ended before the container ran")
		}
		return runner.Started{}, fmt.Errorf("the container's keeper failed: %w; see %s", err, k.log)
	}
	if a.Started == nil {
		return runner.Started{}, errors.New(a.Error)
	}
	return *a.Started, nil
}

// Dismiss ends a keeper that has no plan, and does nothing to one that has.
func (k *Keeper) Dismiss() {
	_ = k.plan.Close()
	_ = k.ack.Close()
}

// Start prepares a keeper and starts it.
func Start(folder, exe string, plan Plan, leases []*os.File) (runner.Started, error) {
	k, err := Prepare(folder, exe, leases)
	if err != nil {
		return runner.Started{}, err
	}
	return k.Start(plan)
}
