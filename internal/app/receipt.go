package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

// Receipt is everything that is known of how an analysis came about, for a
// reader who was not there. Of a job that ran elsewhere that is what its server
// keeps. It holds no key.
type Receipt struct {
	Server    runner.ServerRef     `json:"server"`
	Project   runner.ProjectRef    `json:"project"`
	Algorithm runner.AlgorithmSpec `json:"algorithm"`
	Values    []client.Value       `json:"values"`
	Container *ReceiptContainer    `json:"container,omitempty"`
	Resources *ReceiptResources    `json:"resources,omitempty"`
	Machine   *runner.Machine      `json:"machine,omitempty"`
	Launch    *ReceiptLaunch       `json:"launch,omitempty"`
	Times     ReceiptTimes         `json:"times"`
	Exit      *ReceiptExit         `json:"exit,omitempty"`
	Verdict   ReceiptVerdict       `json:"verdict"`
	Results   ReceiptResults       `json:"results"`
	Log       *ReceiptFile         `json:"log,omitempty"`
	Events    []runner.Event       `json:"events,omitempty"`
}

// ReceiptContainer is the container by name, and the digest that says what
// exactly ran: of the image in its registry, or of the file.
type ReceiptContainer struct {
	Reference string `json:"reference"`
	Digest    string `json:"digest,omitempty"` // "sha256:" and 64 hex digits
	// Cache names folders inside it that had what earlier runs left there,
	// besides the usual ones of models.
	Cache []string `json:"cache,omitempty"`
}

// ReceiptResources is what the run was given.
type ReceiptResources struct {
	GPUs             int            `json:"gpus"`
	Devices          []string       `json:"devices,omitempty"`    // that it had to be
	GPUMemory        int64          `json:"gpu_memory,omitempty"` // bytes of each that it shared
	Memory           int64          `json:"memory,omitempty"`     // bytes at most
	CPUs             float64        `json:"cpus,omitempty"`       // at most
	TimeLimitSeconds float64        `json:"time_limit_seconds,omitempty"`
	GPUUse           *runner.GPUUse `json:"gpu_use,omitempty"` // what it did with them
}

// ReceiptLaunch says by whom, where and with what it was launched.
type ReceiptLaunch struct {
	Person  string         `json:"person"` // on the server
	User    string         `json:"user"`   // on the box
	Host    string         `json:"host"`
	BootID  string         `json:"boot_id"`
	Cytorun string         `json:"cytorun"` // version
	Runtime runner.Runtime `json:"runtime"`
	Note    string         `json:"note,omitempty"`
	Strict  bool           `json:"strict,omitempty"`
	Group   string         `json:"group,omitempty"`
	Part    *runner.Part   `json:"part,omitempty"`
	From    string         `json:"from,omitempty"` // the run that it repeats
	// Modified says what of it is not the algorithm's own, Develop what exactly.
	Modified string          `json:"modified,omitempty"`
	Develop  *runner.Develop `json:"develop,omitempty"`
}

// ReceiptTimes are the times of its life; one that did not come is absent.
type ReceiptTimes struct {
	Launched  time.Time `json:"launched"`
	Preparing time.Time `json:"preparing,omitzero"` // left the queue
	Started   time.Time `json:"started,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
	Seconds   float64   `json:"seconds"` // that the program ran
}

// ReceiptExit is how the program ended, as the kernel told it.
type ReceiptExit struct {
	Code       int     `json:"code"` // -1 when it died of a signal
	Signal     string  `json:"signal,omitempty"`
	CPUSeconds float64 `json:"cpu_seconds"`
	PeakMemory int64   `json:"peak_memory_bytes"`
	OOMKills   int     `json:"oom_kills,omitempty"` // of its own memory group
}

// ReceiptVerdict is what was made of it.
type ReceiptVerdict struct {
	State      string   `json:"state"`
	Reason     string   `json:"reason,omitempty"`
	Advice     string   `json:"advice,omitempty"`
	FirstError string   `json:"first_error,omitempty"`
	Warnings   []string `json:"warnings"`
	// Reported is set when the server has been told everything; Unreported says
	// why not.
	Reported   bool   `json:"reported"`
	Unreported string `json:"unreported,omitempty"`
}

// ReceiptResults is what it left on the server.
type ReceiptResults struct {
	// Source is "server" when it was read there now, "recorded" when it is what
	// was there at the end of the run, empty when neither is known; Problem says
	// why.
	Source      string              `json:"source,omitempty"`
	Time        time.Time           `json:"time,omitzero"` // when it was looked at
	Annotations int                 `json:"annotations"`
	Terms       []runner.OutputTerm `json:"terms"`
	Files       []ReceiptFile       `json:"files"`
	Problem     string              `json:"problem,omitempty"`
}

// ReceiptFile is a file with what it is known again by.
type ReceiptFile struct {
	ID     int64  `json:"id,omitempty"` // on the server
	Key    string `json:"key,omitempty"`
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"` // -1 before its upload ended
	SHA256 string `json:"sha256,omitempty"`
	// NotFetched tells that its checksum was not recorded, and that nobody asked to
	// fetch the file for it.
	NotFetched bool `json:"not_fetched,omitempty"`
}

// Receipt collects all of it. checksums also fetches result files whose checksums
// were not recorded at the end of the run; such files may be large. A server that does not answer
// is no error: what run folders know is told.
func (s *Session) Receipt(ctx context.Context, a Analysis, checksums bool) (Receipt, error) {
	a, err := s.full(a)
	if err != nil {
		return Receipt{}, err
	}
	var r Receipt
	if a.Run != nil {
		r = runReceipt(*a.Run, s.Env.Now())
	} else if r, err = s.jobReceipt(ctx, a); err != nil {
		return Receipt{}, err
	}
	st := a.State()
	r.Verdict.State = st.Word
	if r.Verdict.Reason == "" {
		r.Verdict.Reason = a.Reason()
	}
	if r.Verdict.Warnings == nil {
		r.Verdict.Warnings = []string{}
	}
	r.Results = s.resultsReceipt(ctx, a, checksums)
	r.Log, err = logReceipt(ctx, a)
	return r, err
}

func runReceipt(run runner.Run, now time.Time) Receipt {
	r := Receipt{
		Server: run.Server, Project: run.Project, Algorithm: run.Algorithm, Values: run.Values,
		Resources: &ReceiptResources{
			GPUs: run.Resources.GPUs, Devices: run.Resources.Devices, GPUMemory: run.Resources.GPUMemory,
			Memory: run.Resources.Memory, CPUs: run.Resources.CPUs, TimeLimitSeconds: run.Resources.TimeLimit.Seconds(),
		},
		Launch: &ReceiptLaunch{
			Person: run.Person, User: run.User, Host: run.Host, BootID: run.BootID, Cytorun: run.Cytorun, Runtime: run.Runtime,
			Note: run.Note, Strict: run.Strict, Group: run.Group, Part: run.Part, From: run.From,
			Modified: run.Develop.Label(), Develop: run.Develop,
		},
		Times: ReceiptTimes{Launched: run.Created, Started: run.Started, Ended: run.Ended, Seconds: run.Duration(now).Seconds()},
	}
	if run.Algorithm.Container != "" && run.Runtime != runner.Process {
		r.Container = &ReceiptContainer{Reference: run.Algorithm.Container, Digest: Digest(run), Cache: run.Cache}
	}
	if m, ok := runner.ReadMachine(run.Folder); ok {
		r.Machine = &m
	}
	// Torn or missing events leave the times out; the folder says so elsewhere.
	r.Events, _ = runner.ReadEvents(run.Folder)
	for _, e := range r.Events {
		if e.State == runner.Preparing {
			r.Times.Preparing = e.Time
		}
	}
	exit, ok := runner.ReadExit(run.Folder)
	if ok {
		r.Exit = &ReceiptExit{Code: exit.Code, Signal: exit.Signal, CPUSeconds: exit.CPU, PeakMemory: exit.MaxRSS, OOMKills: max(exit.OOMKills.Group, 0)}
	}
	if v := run.Result; v != nil {
		r.Resources.GPUUse = v.GPU
		r.Verdict = ReceiptVerdict{
			Reason: v.Reason, Advice: v.Advice, FirstError: v.FirstError, Warnings: v.Warnings,
			Reported: v.Confirmed, Unreported: v.Unreported,
		}
	}
	return r
}

// Digest is that of the container that a run executed, empty where none was
// started.
func Digest(run runner.Run) string {
	if run.Result != nil && run.Result.Digest != "" {
		return run.Result.Digest
	}
	started, _ := runner.ReadStarted(run.Folder)
	return started.Digest
}

// jobReceipt is what a server knows of a job that ran elsewhere.
func (s *Session) jobReceipt(ctx context.Context, a Analysis) (Receipt, error) {
	values, err := s.Values(ctx, a)
	if err != nil {
		return Receipt{}, err
	}
	j := a.Job
	r := Receipt{
		Server:    runner.ServerRef{Kind: s.Profile.Kind, URL: s.Profile.URL, Profile: s.Profile.Name},
		Project:   runner.ProjectRef{ID: j.Project},
		Algorithm: runner.AlgorithmSpec{ID: j.Algorithm, Name: j.AlgorithmName},
		Values:    values,
		Launch:    &ReceiptLaunch{Person: j.Username},
		Times:     ReceiptTimes{Launched: j.Created, Seconds: a.Duration(s.Env.Now()).Seconds()},
	}
	if j.Status.Ended() {
		r.Times.Ended = j.Updated
	}
	if j.Project == s.Project.ID {
		r.Project.Name, r.Project.Ontology = s.Project.Name, s.Project.Ontology
	}
	// The algorithm may have vanished; then its name is all there is.
	if algorithm, err := s.algorithm(ctx, j.Algorithm); err == nil {
		r.Algorithm = algorithmSpec(algorithm)
		if algorithm.Container != "" {
			r.Container = &ReceiptContainer{Reference: ContainerReference(algorithm)}
		}
	}
	return r, nil
}

// resultsReceipt reads the results from the server, else what was recorded.
func (s *Session) resultsReceipt(ctx context.Context, a Analysis, checksums bool) ReceiptResults {
	var recorded runner.Outputs
	known := false
	if a.Run != nil {
		recorded, known = runner.ReadOutputs(a.Run.Folder)
	}
	results, err := s.Results(ctx, a)
	if home, err := s.home(a); err == nil {
		s = home
	}
	if err != nil {
		if !known {
			return ReceiptResults{Terms: []runner.OutputTerm{}, Files: []ReceiptFile{}, Problem: err.Error()}
		}
		r := recordedResults(recorded)
		r.Problem = err.Error()
		return r
	}
	r := ReceiptResults{Source: "server", Time: s.Env.Now().UTC(), Annotations: results.Annotations(), Terms: []runner.OutputTerm{}, Files: []ReceiptFile{}}
	for _, c := range results.Counts {
		r.Terms = append(r.Terms, runner.OutputTerm{Term: c.Term, Name: c.Name, Count: c.Count, Area: c.Area, Unit: c.Unit})
	}
	sums := map[client.ID]runner.OutputFile{}
	for _, f := range recorded.Files {
		sums[f.ID] = f
	}
	for _, f := range results.Files {
		out := ReceiptFile{ID: int64(f.ID), Key: f.Key, Name: f.Name, Bytes: f.Size}
		if was := sums[f.ID]; was.SHA256 != "" && was.Size == f.Size {
			out.SHA256 = was.SHA256
		} else if out.NotFetched = f.Size >= 0 && !checksums; f.Size >= 0 && checksums {
			if out.SHA256, err = s.fileSum(ctx, f); err != nil {
				r.Problem = fmt.Sprintf("cannot read %s: %v", f.Name, err)
			}
		}
		r.Files = append(r.Files, out)
	}
	return r
}

func recordedResults(o runner.Outputs) ReceiptResults {
	r := ReceiptResults{Source: "recorded", Time: o.Time, Terms: []runner.OutputTerm{}, Files: []ReceiptFile{}}
	for _, t := range o.Terms {
		r.Annotations += t.Count
		r.Terms = append(r.Terms, t)
	}
	for _, f := range o.Files {
		r.Files = append(r.Files, ReceiptFile{ID: int64(f.ID), Key: f.Key, Name: f.Name, Bytes: f.Size, SHA256: f.SHA256})
	}
	return r
}

func (s *Session) fileSum(ctx context.Context, f client.JobFile) (string, error) {
	store, ok := s.Server.(client.FileStore)
	if !ok {
		return "", client.Unsupported(s.Server, client.KeepsFiles)
	}
	body, err := store.OpenJobFile(ctx, f.ID)
	if err != nil {
		return "", err
	}
	defer body.Close()
	sum, size, err := sumOf(body)
	if err == nil && size != f.Size {
		err = fmt.Errorf("it has %d bytes, the server says %d", size, f.Size)
	}
	if err != nil {
		return "", err
	}
	return sum, nil
}

// logReceipt is the log of a run on this box.
func logReceipt(ctx context.Context, a Analysis) (*ReceiptFile, error) {
	if a.Run == nil {
		return nil, nil
	}
	r := &ReceiptFile{Name: runner.LogFile}
	if o, ok := runner.ReadOutputs(a.Run.Folder); ok && o.Log != nil {
		r.Bytes, r.SHA256 = o.Log.Size, o.Log.SHA256
		return r, nil
	}
	f, err := os.Open(filepath.Join(a.Run.Folder, runner.LogFile))
	if err != nil {
		return nil, nil // the program never started
	}
	defer f.Close()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.SHA256, r.Bytes, err = sumOf(f)
	if err != nil {
		return nil, fmt.Errorf("cannot read the log: %w", err)
	}
	return r, nil
}

func sumOf(r io.Reader) (sum string, size int64, err error) {
	h := sha256.New()
	size, err = io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
