package gpu

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cytorun/cytorun/internal/text"
)

// toolTimeout bounds nvidia-smi. Without its persistence daemon it takes
// seconds on a box with many GPUs, and with a broken driver it hangs.
var toolTimeout = 15 * time.Second

// Fields are documented by nvidia-smi --help-query-gpu and
// --help-query-compute-apps. With nounits, memory is in MiB.
const (
	gpuFields     = "index,uuid,name,memory.total,memory.used,utilization.gpu,driver_version"
	processFields = "gpu_uuid,pid,used_memory"
)

// Discover lists the GPUs of this box with the processes that compute on them,
// in the order of nvidia-smi. Its errors are one line that says what to do; see
// ErrMissing and ErrTool.
func Discover(ctx context.Context) ([]Device, error) {
	if _, err := exec.LookPath("nvidia-smi"); err != nil {
		if amd := AMD("/"); amd != "" {
			return nil, fmt.Errorf("%w: it has %s, and cytorun can hand only NVIDIA GPUs to a container so far; launch with --gpus 0", ErrMissing, amd)
		}
		return nil, fmt.Errorf("%w: there is no nvidia-smi; install the NVIDIA driver where the box has a GPU, or launch with --gpus 0", ErrMissing)
	}
	type answer struct {
		out string
		err error
	}
	apps := make(chan answer, 1)
	go func() {
		out, err := smi(ctx, "--query-compute-apps="+processFields)
		apps <- answer{out, err}
	}()
	out, err := smi(ctx, "--query-gpu="+gpuFields)
	processes := <-apps
	devices := parseDevices(out)
	if len(devices) == 0 {
		return nil, cmp.Or(err, noDevices(out))
	}
	if processes.err != nil {
		return nil, processes.err
	}
	if devices, err = cut(ctx, devices); err != nil {
		return nil, err
	}
	addProcesses(devices, processes.out)
	return devices, nil
}

// noDevices explains an answer without a single GPU in it.
func noDevices(out string) error {
	if out = firstWords(out); out != "" {
		return fmt.Errorf("%w: nvidia-smi says %q", ErrMissing, out)
	}
	return fmt.Errorf("%w: nvidia-smi lists none; see whether the driver is loaded", ErrMissing)
}

// parseDevices reads one GPU from each line; a line that is none is left out.
func parseDevices(out string) []Device {
	var devices []Device
	for line := range strings.Lines(out) {
		f := fields(line, 7)
		if f == nil || !validUUID(f[1]) || number(f[0]) < 0 {
			continue
		}
		devices = append(devices, Device{
			Index: int(number(f[0])), UUID: f[1], Name: text.Line(f[2]), Driver: text.Line(f[6]),
			Total: mebibytes(f[3]), Used: mebibytes(f[4]), Load: int(number(f[5])),
			Lost: broken(f[3]) || broken(f[4]),
		})
	}
	slices.SortStableFunc(devices, func(a, b Device) int { return cmp.Compare(a.Index, b.Index) })
	return slices.CompactFunc(devices, func(a, b Device) bool { return a.UUID == b.UUID })
}

// addProcesses reads one process from each line.
func addProcesses(devices []Device, out string) {
	for line := range strings.Lines(out) {
		f := fields(line, 3)
		if f == nil || number(f[1]) <= 0 {
			continue
		}
		p := Process{PID: int(number(f[1])), Used: mebibytes(f[2]), UID: -1}
		for i := range devices {
			if devices[i].UUID == f[0] || devices[i].Whole == f[0] {
				p.identify()
				devices[i].Processes = append(devices[i].Processes, p)
			}
		}
	}
}

// fields splits a line of the tool, nil unless it has at least n of them.
func fields(line string, n int) []string {
	f := strings.Split(line, ",")
	if len(f) < n {
		return nil
	}
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	return f
}

// number reads a field, -1 for "[N/A]" and the like.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

func mebibytes(s string) int64 {
	if n := number(s); n >= 0 {
		return n << 20
	}
	return -1
}

// broken tells a field of a GPU that does not answer, such as "[GPU is lost]"
// or "[Unknown Error]", from one that the product does not have.
func broken(s string) bool {
	s = strings.ToLower(s)
	return strings.Contains(s, "lost") || strings.Contains(s, "error") || strings.Contains(s, "err!")
}

// validUUID keeps what the tool says from naming another file, or another
// variable's value.
func validUUID(s string) bool {
	if len(s) < 4 || len(s) > 80 {
		return false
	}
	return strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// stuck is an nvidia-smi that could not even be killed. While it hangs no other
// one is started: it would hang too, and they would pile up.
var stuck struct {
	sync.Mutex
	ended map[chan struct{}]bool
}

// smi runs the tool and gives what it printed, also where it failed.
func smi(ctx context.Context, args ...string) (string, error) {
	stuck.Lock()
	for ended := range stuck.ended {
		select {
		case <-ended:
			delete(stuck.ended, ended)
		default:
		}
	}
	hanging := len(stuck.ended) > 0
	stuck.Unlock()
	if hanging {
		return "", fmt.Errorf("%w: nvidia-smi still hangs and cannot be killed: the driver is stuck; restart the box", ErrTool)
	}
	out, err := run(ctx, toolTimeout, "nvidia-smi", append(args, "--format=csv,noheader,nounits")...)
	return out, toolFailed(ctx, out, err)
}

// toolFailed explains what run gave; nil where it did not fail.
func toolFailed(ctx context.Context, out string, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: nvidia-smi gives no answer in %s; run it to see, a stuck driver often needs a restart of the box", ErrTool, text.Duration(toolTimeout))
	}
	return fmt.Errorf("%w: nvidia-smi fails: %s", ErrTool, explain(cmp.Or(firstWords(out), err.Error())))
}

// failures are what nvidia-smi says when a driver is ill, and what to do.
var failures = []struct{ sign, next string }{
	{"version mismatch", "the driver was updated while it was loaded: restart the box"},
	{"couldn't communicate with the nvidia driver", "load the driver with 'sudo modprobe nvidia', or restart the box"},
	{"driver is not loaded", "load the driver with 'sudo modprobe nvidia', or restart the box"},
	{"gpu is lost", "the GPU fell off the bus: restart the box"},
	{"unable to determine the device handle", "a GPU does not answer: restart the box"},
	{"insufficient permissions", "ask for rights to /dev/nvidia*"},
	{"no devices were found", "see with 'lspci | grep -i nvidia' whether the box has a GPU"},
}

func explain(said string) string {
	low := strings.ToLower(said)
	for _, f := range failures {
		if strings.Contains(low, f.sign) {
			return said + "; " + f.next
		}
	}
	return said + "; run it to see why"
}

// run starts a program and gives its output, stdout first. A program that does
// not end in time is killed; one that cannot be killed is left behind.
func run(ctx context.Context, limit time.Duration, name string, args ...string) (string, error) {
	ctx, stop := context.WithTimeout(ctx, limit)
	defer stop()
	cmd := exec.Command(name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return "", err
	}
	done := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		done <- cmd.Wait()
		close(ended)
	}()
	select {
	case err := <-done:
		if err != nil && stdout.Len() == 0 {
			return stderr.String(), err
		}
		return stdout.String(), err
	case <-ctx.Done():
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		stuck.Lock()
		if stuck.ended == nil {
			stuck.ended = map[chan struct{}]bool{}
		}
		stuck.ended[ended] = true
		stuck.Unlock()
	}
	return "", ctx.Err()
}

// firstWords is the first line of what a tool printed that says something.
func firstWords(out string) string {
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(text.Line(line)); line != "" {
			return text.Truncate(line, 200)
		}
	}
	return ""
}
