package apptainer

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/cytorun/cytorun/internal/text"
)

// buildPrefix begins the names of our folders in Tmp.
const buildPrefix = "cytorun-build-"

// sweepTmp removes what builds left behind that were killed and that nobody goes
// on with.
func (a *Apptainer) sweepTmp(c cache) {
	if a.Tmp == "" {
		return
	}
	left, _ := filepath.Glob(filepath.Join(a.Tmp, buildPrefix+"*")) // the pattern is good
	for _, dir := range left {
		st, err := os.Lstat(dir)
		digest := "sha256:" + strings.TrimPrefix(filepath.Base(dir), buildPrefix)
		if err != nil || !st.IsDir() || time.Since(st.ModTime()) < 24*time.Hour {
			continue
		}
		if !validDigest(digest) {
			_ = os.RemoveAll(dir)
		} else if unlock, ok := c.lock(digest); ok {
			_ = os.RemoveAll(dir)
			unlock()
		}
	}
}

// pack builds a container under a name that no other build has: of one whose
// process was killed a part may live on and write for a while.
func (a *Apptainer) pack(ctx context.Context, dir, from string, progress func(string)) (sif string, err error) {
	left, _ := filepath.Glob(filepath.Join(dir, "new-*.sif")) // the pattern is good
	for _, path := range left {
		_ = os.Remove(path)
	}
	sif = fmt.Sprintf("new-%d-%d.sif", os.Getpid(), time.Now().UnixNano())
	return sif, a.build(ctx, dir, from, sif, progress)
}

// build makes the SIF file out of from, which the command understands, such as
// "oci:layout". It works in dir, where its temporary files go too. A full disk,
// a broken image or the end of the context leave no file.
func (a *Apptainer) build(ctx context.Context, dir, from, out string, progress func(string)) error {
	args := []string{"--nocolor", "build", "--disable-cache", "--force"}
	if a.fastBuild {
		// The default level of gzip takes eight times the CPU for a tenth less.
		args = append(args, "--mksquashfs-args", "-comp gzip -Xcompression-level 1")
	}
	cmd := exec.CommandContext(ctx, a.Path, append(args, out, from)...)
	cmd.Dir = dir
	cmd.Env = a.environ(os.Environ())
	switch {
	case a.Tmp != "":
		// A folder of its own: what a build that is killed leaves there goes with
		// the next one of the same container, or by sweep.
		tmp := filepath.Join(a.Tmp, buildPrefix+filepath.Base(dir))
		_ = os.RemoveAll(tmp)
		if err := os.MkdirAll(tmp, 0o700); err != nil {
			return fileError("make the folder for what is temporary", err)
		}
		defer os.RemoveAll(tmp)
		cmd.Env = append(cmd.Env, a.prefix()+"_TMPDIR="+tmp)
	case os.Getenv(a.prefix()+"_TMPDIR") == "":
		cmd.Env = append(cmd.Env, a.prefix()+"_TMPDIR="+dir)
	}
	// mksquashfs and other children must go too when the build is stopped.
	// And when this process is killed: the kernel then looks at the thread that
	// started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output

	start := time.Now()
	progress("building the container")
	done := make(chan struct{})
	ticked := make(chan struct{})
	go func() {
		defer close(ticked)
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				line := "building the container, " + text.Duration(time.Since(start))
				if st, err := os.Stat(filepath.Join(dir, out)); err == nil && st.Size() > 0 {
					line += ", " + text.Bytes(st.Size()) + " written"
				}
				progress(line)
			}
		}
	}()
	err := cmd.Run()
	close(done)
	<-ticked
	if err == nil {
		return nil
	}
	os.Remove(filepath.Join(dir, out))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return buildError(err, output.String())
}

// buildError is one line for a build that failed.
func buildError(err error, output string) error {
	low := strings.ToLower(output)
	switch {
	case strings.Contains(low, "no space left on device"):
		return fmt.Errorf("build the container: %w", diskError(syscall.ENOSPC))
	case strings.Contains(low, "disk quota exceeded"):
		return fmt.Errorf("build the container: %w", diskError(syscall.EDQUOT))
	}
	if line, ok := fatal(output); ok {
		return fmt.Errorf("build the container: %s", line)
	}
	return fmt.Errorf("build the container: %w: %s", err, lastWords(output))
}

// lastWords is the last line of output.
func lastWords(output string) string {
	output = strings.TrimSpace(output)
	return oneLine(text.Strip(output[strings.LastIndexByte(output, '\n')+1:]))
}
