package gpu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cytorun/cytorun/runner"
)

// Grant is what a run was given: its turn, and GPUs.
type Grant struct {
	GPUs  []Device
	files []*os.File
}

// Files are the locks of the grant, for the keeper. The grant lasts until they
// and every copy of them in another process are closed.
func (g *Grant) Files() []*os.File { return g.files }

// UUIDs are those of the GPUs, in the order of nvidia-smi.
func (g *Grant) UUIDs() []string {
	uuids := make([]string, len(g.GPUs))
	for i, d := range g.GPUs {
		uuids[i] = d.UUID
	}
	return uuids
}

// Retake takes again what a run of this user had whose keeper was killed while
// its program lives: pid and start name that program, which is the holder from
// now on. What another run has taken meanwhile stays with that one.
func Retake(ctx context.Context, run string, pid int, start string) (*Grant, error) {
	g := &Grant{}
	for _, dir := range runner.LeaseDirs() {
		if runner.TrustedLeaseDir(dir) != nil {
			continue
		}
		had := holdings(dir, run)
		if len(had) == 0 {
			continue
		}
		decisions, err := lockUntil(ctx, filepath.Join(dir, decisions))
		if err != nil {
			return g, fmt.Errorf("cannot take the turn of run %s again: %w", run, err)
		}
		for _, path := range had {
			if err := g.retake(path, run, pid, start); err != nil {
				_ = decisions.Close()
				return g, fmt.Errorf("cannot take the turn of run %s again: %w", run, err)
			}
		}
		_ = decisions.Close()
	}
	return g, nil
}

// holdings are the files that name a run of this user as who had them last.
func holdings(dir, run string) []string {
	var paths []string
	for _, name := range fileNames(dir) {
		path := filepath.Join(dir, name)
		if _, lease := parseLeaseName(name); !lease && !strings.HasPrefix(name, slotPrefix) {
			continue
		}
		if h := readHolder(path); h.Run == run && h.UID == os.Getuid() {
			paths = append(paths, path)
		}
	}
	return paths
}

// retake takes one file unless somebody else has it, or had it meanwhile.
func (g *Grant) retake(path, run string, pid int, start string) error {
	var f *os.File
	for try := 0; ; try++ { // whoever looks at a lock holds it for a moment
		var err error
		if f, err = lockShared(path, false); err == nil {
			break
		}
		if !errors.Is(err, errBusy) {
			return err
		}
		if try == 20 {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	h := readHolder(path)
	if h.Run != run || h.UID != os.Getuid() {
		return f.Close()
	}
	h.PID, h.Start = pid, start
	g.files = append(g.files, f)
	return write(f, h)
}

// Close lets go of this process's part of the grant.
func (g *Grant) Close() {
	for _, f := range g.files {
		_ = f.Close()
	}
}

// Environment tells a program which GPUs are its own; without any it finds none,
// also where the site shows them to every container. The others are hidden from
// it, not locked away.
func Environment(uuids []string) map[string]string {
	return map[string]string{"CUDA_VISIBLE_DEVICES": strings.Join(uuids, ",")}
}
