package apptainer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Problem is something about this box that keeps containers from running, or
// makes them slower.
type Problem struct {
	What  string // one line
	Fix   string // the command that mends it, or what to ask for; may be empty
	Fatal bool   // no container runs
}

// Check really builds and runs a container of one tiny program, as this user,
// and says what is in the way, also of the containers of the cache in cacheDir.
// It takes about half a second.
func (a *Apptainer) Check(ctx context.Context, cacheDir string) []Problem {
	var out []Problem
	if a.unsquash {
		out = append(out, Problem{
			What: "/dev/fuse cannot be opened, so that each start unpacks its container first",
			Fix:  "sudo chmod 0666 /dev/fuse",
		})
	}
	if !a.noEval {
		out = append(out, Problem{
			What: fmt.Sprintf("%s %s evaluates values of environment variables by a shell", a.Name, a.Version),
			Fix:  "cytorun doctor --install",
		})
	}
	out = append(out, a.Forbidden(cacheDir)...)
	if _, err := exec.LookPath("mksquashfs"); err != nil {
		// A private installation has its own, so this is a reason only, not yet
		// a problem.
		out = a.try(ctx, out, "mksquashfs is not in PATH; install squashfs-tools")
	} else {
		out = a.try(ctx, out, "")
	}
	return out
}

// try appends what goes wrong with the tiny container.
func (a *Apptainer) try(ctx context.Context, out []Problem, hint string) []Problem {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "cytorun-check-")
	if err != nil {
		return append(out, Problem{What: fmt.Sprintf("no temporary folder can be made: %v", err), Fatal: true})
	}
	defer os.RemoveAll(dir)
	program, err := tinyProgram(runtime.GOARCH)
	if err != nil {
		return append(out, Problem{What: err.Error()})
	}
	tree := filepath.Join(dir, "tree")
	probe := filepath.Join(tree, "probe")
	// With a umask of 077 nobody but root could start it.
	if err := errors.Join(os.MkdirAll(tree, 0o755), os.WriteFile(probe, program, 0o755), os.Chmod(tree, 0o755), os.Chmod(probe, 0o755)); err != nil {
		return append(out, Problem{What: fmt.Sprintf("the temporary folder cannot be written: %v", err), Fatal: true})
	}
	if err := a.build(ctx, dir, "tree", "probe.sif", func(string) {}); err != nil {
		return append(out, Problem{What: "containers cannot be built: " + err.Error(), Fix: firstOf(hint, a.remedy(err.Error())), Fatal: true})
	}
	job := Job{Container: Container{Path: filepath.Join(dir, "probe.sif")}, Argv: []string{"/probe"}, WorkDir: filepath.Join(dir, "work")}
	if err := job.Prepare(); err != nil {
		return append(out, Problem{What: err.Error(), Fatal: true})
	}
	argv, env := a.Command(job)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		code := -1
		if cmd.ProcessState != nil {
			code = cmd.ProcessState.ExitCode()
		}
		reason, _ := Explain(code, output.String())
		return append(out, Problem{What: "containers do not run: " + reason, Fix: a.remedy(output.String()), Fatal: true})
	}
	return out
}

func firstOf(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}

// remedy finds what on this box forbids containers to an ordinary user, and
// the command that allows it.
func (a *Apptainer) remedy(output string) string {
	low := strings.ToLower(output)
	if strings.Contains(low, "requesting capability set") {
		return `apptainer config global --set "root default capabilities" no`
	}
	if os.Geteuid() == 0 {
		return ""
	}
	// Kernel settings that forbid user namespaces, each with its owner.
	switch {
	case sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
		return "Ubuntu forbids user namespaces to programs without an AppArmor profile: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or install the distribution's package apptainer, which brings a profile"
	case sysctl("user/max_user_namespaces") == "0":
		return "sudo sysctl -w user.max_user_namespaces=15000"
	case sysctl("kernel/unprivileged_userns_clone") == "0":
		return "sudo sysctl -w kernel.unprivileged_userns_clone=1"
	case strings.Contains(low, "/dev/fuse") || strings.Contains(low, "squashfuse"):
		return "sudo chmod 0666 /dev/fuse, and install squashfuse"
	}
	return ""
}

// sysctl reads a kernel setting, "" where the kernel has none.
func sysctl(name string) string {
	b, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// tinyProgram is a static ELF executable that only calls exit(0), so that the
// check needs no compiler and nothing from the network.
func tinyProgram(arch string) ([]byte, error) {
	var machine uint16
	var code []byte
	switch arch {
	case "amd64":
		machine = 62
		code = []byte{0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05} // mov eax,60; xor edi,edi; syscall
	case "arm64":
		machine = 183
		code = []byte{0xa8, 0x0b, 0x80, 0xd2, 0, 0, 0x80, 0xd2, 0x01, 0, 0, 0xd4} // mov x8,93; mov x0,0; svc 0
	default:
		return nil, fmt.Errorf("no way to try a container on %s", arch)
	}
	const base, headers = 0x400000, 64 + 56
	size := uint64(headers + len(code))
	var b bytes.Buffer
	b.Write([]byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	for _, v := range []any{
		uint16(2), machine, uint32(1), // an executable
		uint64(base + headers), uint64(64), uint64(0), // entry, program headers, no sections
		uint32(0), uint16(64), uint16(56), uint16(1), uint16(64), uint16(0), uint16(0),
		uint32(1), uint32(5), uint64(0), uint64(base), uint64(base), size, size, uint64(0x1000), // one segment, read and execute
	} {
		// A bytes.Buffer takes every write.
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	b.Write(code)
	return b.Bytes(), nil
}
