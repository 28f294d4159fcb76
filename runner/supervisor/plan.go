package supervisor

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/runner/command"
	"github.com/cytorun/cytorun/runner/gpu"
	"github.com/cytorun/cytorun/runner/keep"
)

// finding looks for the container runtime while the run waits for other things.
type finding struct {
	done  chan struct{}
	found *apptainer.Apptainer
	err   error
}

func (f *finding) begin(r runner.Runtime) {
	if r != runner.Apptainer || f.done != nil {
		return
	}
	f.done = make(chan struct{})
	go func() {
		defer close(f.done)
		paths, err := profile.DefaultPaths()
		if err != nil {
			f.err = err
			return
		}
		f.found, f.err = apptainer.FindFor(paths)
	}()
}

func (f *finding) result() (*apptainer.Apptainer, error) {
	<-f.done
	return f.found, f.err
}

// caInside is where a container finds the certificates of a profile.
const caInside = "/opt/cytorun-ca.pem"

// caVariables name a file of certificates to the libraries that programs use.
var caVariables = []string{"REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"}

// plan makes what keep starts: everything about the program but starting it.
func (s *supervisor) plan(container apptainer.Container) (keep.Plan, error) {
	work := s.workDir()
	for _, dir := range []string{"home", "tmp"} {
		if err := os.MkdirAll(filepath.Join(work, dir), 0o700); err != nil {
			return keep.Plan{}, fmt.Errorf("cannot make the work folder: %w", err)
		}
	}
	ca, err := s.certificates(work)
	if err != nil {
		return keep.Plan{}, err
	}
	if s.run().Runtime == runner.Process {
		if err := s.noteLimits(nil); err != nil {
			return keep.Plan{}, err
		}
		plan, err := s.processPlan(work, ca)
		if err != nil || !s.run().Develop.ByHand() {
			return plan, err
		}
		return s.processShell(work, plan)
	}
	return s.containerPlan(work, ca, container)
}

// workDir is the program's HOME, working folder and tmp.
func (s *supervisor) workDir() string {
	if paths, err := profile.DefaultPaths(); err == nil && paths.Work != "" {
		return filepath.Join(paths.Work, s.run().ID)
	}
	return s.path(runner.WorkDir)
}

// tokens are the words that the program gets.
func (s *supervisor) tokens() []string { return s.words(s.jobs, s.token()) }

// words are the words that the program gets, with these keys and this token.
func (s *supervisor) words(keys client.Keys, token string) []string {
	spec := s.run().Spec
	chosen := make(map[string]string, len(spec.Values))
	for _, v := range spec.Values {
		chosen[v.Parameter] = v.Text
	}
	inputs := command.Inputs(spec.Algorithm.Inputs(), chosen, command.ServerValues{
		Host: spec.Server.URL, PublicKey: keys.Public, PrivateKey: keys.Private,
		ProjectID: id(spec.Project.ID), AlgorithmID: id(spec.Algorithm.ID), Exact: s.exactInputs(token),
	})
	argv := command.Build(spec.Algorithm.CommandLine, inputs).Argv
	if d := spec.Develop; d != nil && len(d.Program) > 0 && d.Words <= len(argv) {
		argv = append(slices.Clone(d.Program), argv[d.Words:]...)
	}
	return argv
}

func id(n client.ID) string { return strconv.FormatInt(int64(n), 10) }

// processPlan starts a program without a container: one of the demo, or a
// person's own.
func (s *supervisor) processPlan(work, ca string) (keep.Plan, error) {
	if d := s.run().Develop; d != nil && d.Source != nil {
		return s.sourcePlan(work, ca)
	}
	home := filepath.Join(work, "home")
	env := []string{
		"PATH=" + cmp.Or(os.Getenv("PATH"), "/usr/local/bin:/usr/bin:/bin"),
		"HOME=" + home, "TMPDIR=" + filepath.Join(work, "tmp"), "LANG=C.UTF-8",
	}
	if ca != "" {
		for _, name := range caVariables {
			env = append(env, name+"="+ca)
		}
	}
	for name, value := range gpu.Environment(s.run().GPUs) {
		env = append(env, name+"="+value)
	}
	for name, value := range s.exactEnv() {
		env = append(env, name+"="+value)
	}
	own, err := s.variables()
	if err != nil {
		return keep.Plan{}, err
	}
	for name, value := range own {
		env = append(env, name+"="+value)
	}
	return keep.Plan{Argv: append([]string{s.exe, "demo-program"}, s.tokens()...), Env: env, Dir: home}, nil
}

func (s *supervisor) containerPlan(work, ca string, container apptainer.Container) (keep.Plan, error) {
	runtime, err := s.find.result()
	if err != nil {
		return keep.Plan{}, err
	}
	paths, err := profile.DefaultPaths()
	if err != nil {
		return keep.Plan{}, err
	}
	spec := s.run().Spec
	job := apptainer.Job{
		Container: container, Argv: s.tokens(), WorkDir: work,
		Env: gpu.Environment(s.run().GPUs), GPU: len(s.run().GPUs) > 0,
		Memory: spec.Resources.Memory, CPUs: spec.Resources.CPUs,
		Weights: apptainer.Weights{Dir: apptainer.ModelsFolder(paths.Weights, spec.Server.URL, spec.Algorithm.Name), More: spec.Cache},
	}
	for name, value := range s.exactEnv() {
		job.Env[name] = value
	}
	if err := s.addOwn(&job); err != nil {
		return keep.Plan{}, err
	}
	if ca != "" {
		job.Binds = append(job.Binds, ca+":"+caInside+":ro")
		for _, name := range caVariables {
			job.Env[name] = caInside
		}
	}
	if spec.Develop.ByHand() {
		job.Home = spec.Develop.Home
	}
	if err := job.Prepare(); err != nil {
		return keep.Plan{}, err
	}
	if err := s.noteLimits(runtime); err != nil {
		return keep.Plan{}, err
	}
	if spec.Develop.ByHand() {
		return s.containerShell(runtime, job)
	}
	argv, env := runtime.Command(job)
	return keep.Plan{Argv: argv, Env: env, Dir: work, Digest: container.Digest}, nil
}

// systemCertificates are where Linux distributions keep the certificates that
// they trust.
var systemCertificates = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// certificates writes a file with the certificates that this box trusts and the
// ones of the profile, because the variables that name it replace the usual
// ones. It is empty where the profile needs none.
func (s *supervisor) certificates(work string) (string, error) {
	if _, err := s.server(); err != nil {
		return "", err
	}
	own := s.link.profile.CA
	if own == "" {
		return "", nil
	}
	pem, err := os.ReadFile(own)
	if err != nil {
		return "", fmt.Errorf("cannot read the certificates of the profile: %w", err)
	}
	for _, path := range systemCertificates {
		if system, err := os.ReadFile(path); err == nil {
			pem = append(append(pem, '\n'), system...)
			break
		}
	}
	path := filepath.Join(work, "ca.pem")
	if err := os.WriteFile(path, pem, 0o644); err != nil {
		return "", fmt.Errorf("cannot hand the certificates of the profile to the program: %w", err)
	}
	return path, nil
}
