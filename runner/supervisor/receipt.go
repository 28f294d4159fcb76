package supervisor

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	goruntime "runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/source"
)

// noteMachine writes machine.json beside the running program, once. The channel
// closes when it is done.
func (s *supervisor) noteMachine() <-chan struct{} {
	done := make(chan struct{})
	if _, ok := runner.ReadMachine(s.folder); ok {
		close(done)
		return done
	}
	s.find.begin(s.run().Runtime)
	go func() {
		defer close(done)
		m := machine(s.run())
		m.Supervisor = s.run().Cytorun
		if m.Runtime == string(runner.Apptainer) {
			if a, err := s.find.result(); err == nil {
				m.Runtime, m.RuntimeVersion = a.Name, a.Version
			}
		}
		if err := runner.WriteMachine(s.folder, m); err != nil {
			s.log.Warn("cannot note what the program ran on", "error", err)
		}
	}()
	return done
}

// machine looks at this box. What it cannot find out stays empty.
func machine(run runner.Run) runner.Machine {
	m := runner.Machine{
		Host: runner.Host(), BootID: runner.BootID(), Arch: goruntime.GOARCH, CPUs: goruntime.NumCPU(),
		Runtime: string(run.Runtime),
		OS:      strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`),
		CPU:     field("/proc/cpuinfo", "model name", ":"),
	}
	if f := strings.Fields(field("/proc/meminfo", "MemTotal", ":")); len(f) == 2 {
		if kib, err := strconv.ParseInt(f[0], 10, 64); err == nil {
			m.Memory = kib << 10
		}
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
	}
	for _, was := range run.Develop.Sources() {
		m.Sources = append(m.Sources, source.Look(context.Background(), was.Path))
	}
	if run.Resources.GPUs > 0 {
		m.GPUs, m.GPUDriver = gpus()
	}
	return m
}

// field reads the value of the first line `name SEP value` of a file.
func field(path, name, sep string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, value, ok := strings.Cut(lines.Text(), sep)
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// gpus asks the driver's own tool, which hangs where a driver is broken.
func gpus() (found []runner.MachineGPU, driver string) {
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	cmd := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=uuid,name,memory.total,driver_version", "--format=csv,noheader,nounits")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil, ""
	}
	return readGPUs(string(out))
}

// readGPUs reads lines of `uuid, name, MiB, driver`; others are left out.
func readGPUs(out string) (found []runner.MachineGPU, driver string) {
	r := csv.NewReader(strings.NewReader(out))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.LazyQuotes = -1, true, true
	rows, _ := r.ReadAll()
	for _, row := range rows {
		if len(row) < 4 || row[0] == "" {
			continue
		}
		g := runner.MachineGPU{UUID: strings.TrimSpace(row[0]), Name: strings.TrimSpace(row[1])}
		if mib, err := strconv.ParseInt(strings.TrimSpace(row[2]), 10, 64); err == nil && mib > 0 && mib < 1<<40 {
			g.Memory = mib << 20
		}
		found, driver = append(found, g), strings.TrimSpace(row[3])
	}
	return found, driver
}

// How much of the results is read to keep their checksums. What is left out is
// listed without one.
const (
	outputsPatience = 10 * time.Minute
	outputsLargest  = 4 << 30 // of one file, in bytes
)

// noteOutputs writes outputs.json when everything else is done: what the
// program left on the server, and the checksums by which it is known again.
func (s *supervisor) noteOutputs() {
	run := s.run()
	result, ok := runner.ReadResult(s.folder)
	if !ok || !run.State.Ended() || !result.Confirmed || run.Started.IsZero() {
		return
	}
	if _, ok := runner.ReadOutputs(s.folder); ok {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), outputsPatience)
	defer stop()
	o := runner.Outputs{Time: time.Now().UTC()}
	if f, err := os.Open(s.path(runner.LogFile)); err == nil {
		sum, size, err := checksum(ctx, f)
		_ = f.Close()
		if err == nil {
			o.Log = &runner.OutputLog{Size: size, SHA256: sum}
		}
	}
	err := s.withServer(ctx, func(ctx context.Context, server client.Server) error { return leftOnServer(ctx, server, run, &o) })
	if err == nil {
		err = runner.WriteOutputs(s.folder, o)
	}
	if err != nil {
		s.log.Warn("cannot note what the program left behind", "error", err)
	}
}

func leftOnServer(ctx context.Context, server client.Server, run runner.Run, o *runner.Outputs) error {
	if run.Job == 0 {
		return nil
	}
	job := client.Job{ID: run.Job, Project: run.Project.ID, UserJob: run.UserJob}
	if counter, ok := server.(client.AnnotationCounter); ok {
		counts, err := counter.AnnotationCounts(ctx, job)
		if err != nil {
			return err
		}
		for _, c := range counts {
			o.Terms = append(o.Terms, runner.OutputTerm{Term: c.Term, Name: c.Name, Count: c.Count, Area: c.Area, Unit: c.Unit})
		}
	}
	store, ok := server.(client.FileStore)
	if !ok {
		return nil
	}
	files, err := store.JobFiles(ctx, run.Job)
	if err != nil {
		return err
	}
	for _, f := range files {
		out := runner.OutputFile{ID: f.ID, Key: f.Key, Name: f.Name, Size: f.Size}
		if f.Size >= 0 && f.Size <= outputsLargest {
			out.SHA256, err = fileSum(ctx, store, f)
			if err != nil && ctx.Err() == nil && client.Transient(err) {
				return err
			}
		}
		o.Files = append(o.Files, out)
	}
	return nil
}

// fileSum reads a result file as the server hands it out.
func fileSum(ctx context.Context, store client.FileStore, f client.JobFile) (string, error) {
	body, err := store.OpenJobFile(ctx, f.ID)
	if err != nil {
		return "", err
	}
	defer body.Close()
	sum, size, err := checksum(ctx, body)
	if err == nil && f.Size >= 0 && size != f.Size {
		err = fmt.Errorf("file %d has %d bytes, the server says %d", f.ID, size, f.Size)
	}
	if err != nil {
		return "", err
	}
	return sum, nil
}

func checksum(ctx context.Context, r io.Reader) (sum string, size int64, err error) {
	h := sha256.New()
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.Read(buffer)
		_, _ = h.Write(buffer[:n])
		size += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			return hex.EncodeToString(h.Sum(nil)), size, nil
		case err != nil:
			return "", size, err
		case ctx.Err() != nil:
			return "", size, ctx.Err()
		}
	}
}
