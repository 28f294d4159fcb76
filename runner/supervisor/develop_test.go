package supervisor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/runner"
)

// ownSource is a run of a script of one's own in a folder of one's own.
func (s *site) ownSource(script string, env ...runner.Variable) runner.Run {
	s.t.Helper()
	dir := s.t.TempDir()
	must(s.t, os.WriteFile(filepath.Join(dir, "run.sh"), []byte(script), 0o644))
	spec := noFlags(s.spec("python /app/run.py"))
	spec.Develop = &runner.Develop{Source: &runner.Source{Path: dir}, Program: []string{"/bin/sh", "run.sh"}, Words: 2, Env: env}
	return s.create(spec)
}

const token = "open-sesame-4711"

func TestASecretVariableReachesTheProgramAndNothingElse(t *testing.T) {
	t.Setenv("LAB_TOKEN", token)
	s := newSite(t)
	fast := "fast"
	run := s.ownSource(`echo "in $PWD with $MODE and $LAB_TOKEN, $#"; exit 3`, runner.Variable{Name: "LAB_TOKEN"}, runner.Variable{Name: "MODE", Value: &fast})
	s.start(run)
	run = s.ended(run, runner.Failed)
	files := everyFile(t, run.Folder)
	log := filepath.Join(run.Folder, runner.LogFile)
	if want := "in " + run.Develop.Source.Path + " with fast and " + token; !strings.HasPrefix(files[log], want) {
		t.Errorf("%q, want %q", files[log], want)
	}
	delete(files, log)
	for path, content := range files {
		if strings.Contains(content, token) {
			t.Errorf("%s holds the secret: %s", path, content)
		}
	}
	if kept := jobLog(t, s, run); strings.Contains(kept, token) || !strings.Contains(kept, "with fast and ••••") {
		t.Errorf("the server has %q", kept)
	}
	if m, ok := runner.ReadMachine(run.Folder); !ok || len(m.Sources) != 1 || m.Sources[0].Files == "" {
		t.Errorf("the code as the program found it is not kept: %+v", m)
	}
}

func TestASecretVariableThatIsGoneEndsTheLaunch(t *testing.T) {
	s := newSite(t)
	run := s.ownSource("echo ran", runner.Variable{Name: "LAB_TOKEN"})
	s.start(run)
	run = s.ended(run, runner.Failed)
	if !strings.Contains(run.Reason, "the value of LAB_TOKEN was in the environment of the launch") {
		t.Error(run.Reason)
	}
	if _, started := runner.ReadStarted(run.Folder); started {
		t.Error("the program was started without its variable")
	}
}

func TestASourceThatIsGoneEndsTheLaunch(t *testing.T) {
	s := newSite(t)
	run := s.ownSource("echo ran")
	must(t, os.RemoveAll(run.Develop.Source.Path))
	s.start(run)
	if run = s.ended(run, runner.Failed); !strings.Contains(run.Reason, "is not there any more") {
		t.Error(run.Reason)
	}
}

// TestRealContainerWithOwnCode binds folders over a container, below its HOME
// too, for a SIF and for the folder that it was made from.
func TestRealContainerWithOwnCode(t *testing.T) {
	sif := container(t)
	tree := filepath.Join(filepath.Dir(sif), "tree")
	for _, dir := range []string{"dev", "proc", "sys", "tmp", "var/tmp"} {
		must(t, os.MkdirAll(filepath.Join(tree, dir), 0o755))
	}
	for name, container := range map[string]string{"file": sif, "folder": tree} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			src, out := t.TempDir(), t.TempDir()
			script := `b=/bin/busybox; echo "own code in $($b pwd) with $MODE"; $b touch "$HOME/out/made" && echo made; $b touch /app/x 2>/dev/null || echo read-only`
			must(t, os.WriteFile(filepath.Join(src, "own.sh"), []byte(script), 0o644))
			mode := "two words $HOME `x`"
			spec := s.inside(container, "")
			spec.Algorithm.CommandLine = "/bin/sh /app/own.sh"
			spec.Develop = &runner.Develop{
				Binds: []runner.Bind{
					{Source: runner.Source{Path: src}, Inside: "/app", ReadOnly: true},
					{Source: runner.Source{Path: out}, Inside: "/home/run/out"},
				},
				Env: []runner.Variable{{Name: "MODE", Value: &mode}},
			}
			run := s.create(spec)
			s.start(run)
			run = s.state(run, runner.Succeeded)
			log, err := os.ReadFile(filepath.Join(run.Folder, runner.LogFile))
			must(t, err)
			if want := "own code in /home/run with " + mode + "\nmade\nread-only\n"; string(log) != want {
				t.Errorf("%q, want %q", log, want)
			}
			if _, err := os.Stat(filepath.Join(out, "made")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRealBindThatIsGoneEndsTheLaunch(t *testing.T) {
	sif := container(t)
	s := newSite(t)
	spec := s.inside(sif, "say hello")
	spec.Develop = &runner.Develop{Binds: []runner.Bind{{Source: runner.Source{Path: filepath.Join(t.TempDir(), "gone")}, Inside: "/app"}}}
	run := s.create(spec)
	s.start(run)
	if run = s.ended(run, runner.Failed); !strings.Contains(run.Reason, "gone, which was to be bound to /app, is not there any more") {
		t.Error(run.Reason)
	}
}

func TestSecretsBecomeVariablesInAScript(t *testing.T) {
	m := newMasks()
	secret := m.of("A_KEY")
	for word, want := range map[string]string{
		"plain":                 "plain",
		"":                      "''",
		"it's":                  `'it'"'"'s'`,
		"$(rm -rf ~)`x`":        "'$(rm -rf ~)`x`'",
		secret:                  `"$A_KEY"`,
		"--key=" + secret + " ": `--key="$A_KEY"' '`,
	} {
		if got := m.quote(word); got != want {
			t.Errorf("%q is written %s, want %s", word, got, want)
		}
	}
}
