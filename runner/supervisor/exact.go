package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
	"github.com/cytorun/cytorun/runner/report"
	"github.com/cytorun/cytorun/runner/upload"
)

// A run on an EXACT server is over one image and is a worker there. A file program
// gets the image as a file in its home and leaves annotations in a folder beside
// it; what follows its end is in bring.go.

// Folders of a file program below its home.
const (
	imageDir  = "image"
	outputDir = "output"
)

// factImage is the path of the downloaded image below imageDir.
const factImage = "image_file"

// exactServer is the run's server, if it is one of EXACT.
func (s *supervisor) exactServer() (*exact.Client, bool) {
	if s.run().Server.Kind != client.Exact {
		return nil, false
	}
	server, err := s.server()
	if err != nil {
		return nil, false
	}
	x, ok := server.(*exact.Client)
	return x, ok
}

// wants tells whether the program asks for an input that we fill.
func (s *supervisor) wants(input string) bool {
	for _, p := range s.run().Algorithm.Parameters {
		if p.ExactInput() == input {
			return true
		}
	}
	return false
}

// home is the program's HOME on this box.
func (s *supervisor) home() string { return filepath.Join(s.workDir(), "home") }

// inside is the path of something in the program's home, as the program sees it.
func (s *supervisor) inside(parts ...string) string {
	home := s.home()
	if s.run().Runtime == runner.Apptainer {
		home = apptainer.HomeInside
	}
	return filepath.Join(append([]string{home}, parts...)...)
}

// exactInputs are the values of descriptor.ExactInputs.
func (s *supervisor) exactInputs(token string) map[string]string {
	run := s.run()
	if run.Server.Kind != client.Exact {
		return nil
	}
	values := map[string]string{
		"exact_host": run.Server.URL, "exact_image_id": id(run.Image.ID), "exact_job_id": id(run.Job), "exact_imageset_id": id(run.Project.ID),
	}
	if s.wants("exact_token") {
		values["exact_token"] = token
	}
	if run.Algorithm.IsFileProgram() {
		values["exact_image"] = s.inside(imageDir, s.imageFile())
		values["exact_output"] = s.inside(outputDir)
	}
	return values
}

// token is the secret by which a program that asks for it speaks to the server in
// the person's name.
func (s *supervisor) token() string {
	if !s.wants("exact_token") {
		return ""
	}
	if x, ok := s.exactServer(); ok {
		return x.Token()
	}
	return ""
}

// tokenVariable is where a program finds its token.
const tokenVariable = "EXACT_TOKEN"

// maskedWords are the words that the program gets, with its secrets as they may
// stand in a script that is kept.
func (s *supervisor) maskedWords(secrets *masks) []string {
	if s.run().Server.Kind == client.Exact {
		return s.words(client.Keys{}, s.maskedToken(secrets))
	}
	return s.words(secrets.keys(), "")
}

// maskedToken stands for the token in a script that is kept.
func (s *supervisor) maskedToken(secrets *masks) string {
	if s.token() == "" {
		return ""
	}
	return secrets.of(tokenVariable)
}

// exactEnv is what the environment of the program has besides.
func (s *supervisor) exactEnv() map[string]string {
	if s.token() == "" {
		return nil
	}
	return map[string]string{tokenVariable: s.token()}
}

// imageFile is the downloaded image below imageDir, empty before.
func (s *supervisor) imageFile() string {
	events, err := runner.ReadEvents(s.folder)
	if err != nil {
		return ""
	}
	file := ""
	for _, e := range events {
		if f := e.Facts[factImage]; f != "" {
			file = f
		}
	}
	return file
}

// keepReplaced keeps what the server has of a job that the run is about to redo: the
// server itself keeps no history.
func (s *supervisor) keepReplaced() error {
	run := s.run()
	path := s.path(runner.ReplacedFile)
	if _, err := os.Stat(path); err == nil || !run.Take.Restart {
		return nil
	}
	return s.untilServer(func(ctx context.Context, _ client.Server) error {
		x, ok := s.exactServer()
		if !ok {
			return client.ErrUnsupported
		}
		s.waiting("keeping what the job wrote before")
		_, err := upload.Keep(ctx, x, run.Take.ID, path)
		return err
	})
}

// prepareFiles gets the image of a file program and makes its output folder.
func (s *supervisor) prepareFiles() error {
	run := s.run()
	if run.Server.Kind != client.Exact {
		return nil
	}
	if s.wants("exact_token") && s.token() == "" {
		return errors.New("the program asks for a token, and these credentials are a password; log in again with 'cytorun login', which makes a token")
	}
	if !run.Algorithm.IsFileProgram() {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(s.home(), outputDir), 0o700); err != nil {
		return fmt.Errorf("cannot make the folder for the annotations: %w", err)
	}
	dir := filepath.Join(s.home(), imageDir)
	if file := s.imageFile(); file != "" {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return nil
		}
	}
	var path string
	var told time.Time
	err := s.untilServer(func(ctx context.Context, _ client.Server) error {
		x, ok := s.exactServer()
		if !ok {
			return client.ErrUnsupported
		}
		s.waiting("getting the image")
		var err error
		path, err = x.DownloadImage(ctx, run.Image.ID, dir, func(done, total int64) {
			if now := time.Now(); now.Sub(told) >= time.Second {
				told = now
				s.waiting("getting the image: " + ofBytes(done, total))
			}
		})
		return err
	})
	if err != nil {
		return err
	}
	file, err := filepath.Rel(dir, path)
	if err != nil || !filepath.IsLocal(file) {
		return fmt.Errorf("the image came to %s, outside its folder", path)
	}
	return s.event(runner.Event{Facts: map[string]string{factImage: file}})
}

func ofBytes(done, total int64) string {
	if total <= 0 {
		return text.Bytes(done)
	}
	return text.Bytes(done) + " of " + text.Bytes(total)
}

// dropImage removes the downloaded image of a run that is over: the server has it,
// and it is by far the largest file.
func (s *supervisor) dropImage() {
	if s.run().Algorithm.IsFileProgram() {
		_ = os.RemoveAll(filepath.Join(s.home(), imageDir))
	}
}

// lostJob tells whether an error means that the job is no longer ours to work on.
func lostJob(err error) bool {
	return errors.Is(err, report.ErrGone) || errors.Is(err, report.ErrTaken)
}

// giveUp asks for the end of the run because its job is gone or another worker's.
func (s *supervisor) giveUp(why error) {
	reason := oneLine(why.Error())
	if err := runner.RequestCancelBecause(s.folder, "the server", reason); err != nil {
		s.log.Warn("cannot end the run whose job is gone", "error", err)
	}
}

// How often the job is looked at while a run waits for its turn, and how often the
// server is told that its worker lives. Tests shorten them.
var (
	tendEvery = 20 * time.Second
	aliveMark = 5 * time.Minute
)

// tend keeps the claim while the run waits, until stop is called: a job that is
// deleted, or taken, ends it.
func (s *supervisor) tend() (stop func()) {
	x, ok := s.exactServer()
	if !ok {
		return func() {}
	}
	ctx, cancel := context.WithCancel(s.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for marked := time.Now(); s.pause(ctx, tendEvery) == nil; {
			run := s.run()
			if run.Job == 0 {
				continue
			}
			err := bounded(ctx, func(ctx context.Context) error {
				if time.Since(marked) < aliveMark {
					return report.Held(ctx, x, run.Spec, run.Job)
				}
				marked = time.Now()
				_, err := x.PatchPluginJob(ctx, run.Job, exact.JobPatch{})
				return err
			})
			if lostJob(err) {
				s.giveUp(err)
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

func bounded(ctx context.Context, f func(context.Context) error) error {
	ctx, stop := context.WithTimeout(ctx, report.Timeout)
	defer stop()
	return f(ctx)
}

// How often progress is written, and the job looked at while there is none. Tests
// shorten them.
var (
	exactTick = 2 * time.Second
	exactLook = 10 * time.Second
)

// share is how much of a job the program itself is; bringing its annotations to
// the server is the rest.
const share = 80

// observeExact follows a running program of an EXACT server. A file program's
// progress is ours to write; any other program may write its own, and then only
// that is read.
func (s *supervisor) observeExact(ctx context.Context, x *exact.Client, fromLog func() int) <-chan int {
	out := make(chan int)
	run := s.run()
	files := run.Algorithm.IsFileProgram()
	go func() {
		var looked time.Time
		told := time.Now() // when the server was last given a sign
		last, silent := -1, false
		for s.pause(ctx, exactTick) == nil {
			percent := fromLog()
			var err error
			switch {
			case percent > last && files:
				err = bounded(ctx, func(ctx context.Context) error {
					return report.ExactProgress(ctx, x, run, float64(percent)*share/100)
				})
				if err == nil {
					last, looked, told = percent, time.Now(), time.Now()
				}
			case time.Since(looked) >= exactLook:
				looked = time.Now()
				err = bounded(ctx, func(ctx context.Context) error {
					j, err := x.PluginJob(ctx, run.Job)
					if errors.Is(err, client.ErrNotFound) {
						return report.Held(ctx, x, run.Spec, run.Job)
					}
					if err != nil {
						return err
					}
					own := int(min(max(j.Progress, 0), 100))
					if !files && own > max(last, 0) {
						last, silent, told = own, true, time.Now()
						select {
						case out <- own:
						case <-ctx.Done():
						}
					}
					// A program that speaks for itself may free its job at its end.
					if !files && j.Worker == "" {
						return nil
					}
					if err := report.Held(ctx, x, run.Spec, run.Job); err != nil || files || silent || percent <= last {
						if err == nil && time.Since(told) >= aliveMark {
							// Only the time: others may take a silent worker for dead.
							told = time.Now()
							_, err = x.PatchPluginJob(ctx, run.Job, exact.JobPatch{})
						}
						return err
					}
					told = time.Now()
					last = percent
					return report.ExactProgress(ctx, x, run, float64(min(percent, 99)))
				})
			}
			switch {
			case ctx.Err() != nil:
				return
			case lostJob(err):
				s.giveUp(err)
				return
			case err != nil:
				s.log.Warn("the server does not answer while the program runs", "error", err)
			}
		}
	}()
	return out
}
