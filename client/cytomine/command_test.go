package cytomine

import "testing"

func TestCommandLineAndContainerOfServerCommands(t *testing.T) {
	for _, c := range []struct{ execute, pull, commandLine, container string }{
		{"singularity run s_demo-v1.2.simg python run.py [HOST] [X]", "singularity pull --name s_demo-v1.2.simg docker://user/s_demo:v1.2", "python run.py [HOST] [X]", "user/s_demo:v1.2"},
		{"singularity run demo.simg", "singularity pull --name demo.simg docker://registry.example:5000/a/b@sha256:abc", "", "registry.example:5000/a/b@sha256:abc"},
		{"apptainer run --nv /data/images/x.sif  a  b", "apptainer pull x.sif oras://ghcr.example/x:1", "a  b", "oras://ghcr.example/x:1"},
		{"singularity run a.simg python x.simg y", "docker build -t a:1 /tmp/a && singularity pull --name a.simg docker-daemon://a:1", "python x.simg y", "docker-daemon://a:1"},
		{"singularity exec a.img cat [F]", "singularity pull --name a.img 'docker://u/a:1'", "cat [F]", "u/a:1"},
		{"python run.py [HOST]", "user/s_demo:v1.2", "python run.py [HOST]", "user/s_demo:v1.2"},
		{"", "", "", ""},
		{"  ", "make it yourself", "", ""},
		{"singularity run", "://", "singularity run", "://"},
	} {
		if got := commandLineOf(c.execute); got != c.commandLine {
			t.Errorf("%q: command line %q, want %q", c.execute, got, c.commandLine)
		}
		if got := containerOf(c.pull); got != c.container {
			t.Errorf("%q: container %q, want %q", c.pull, got, c.container)
		}
	}
}

func TestCommandsForTheServerReadBackTheSame(t *testing.T) {
	for _, c := range []struct{ container, version, line, execute, pull string }{
		{"user/s_demo:v1.2", "v1.2", "python run.py [X]", "singularity run s_demo-v1.2.simg python run.py [X]", "singularity pull --name s_demo-v1.2.simg docker://user/s_demo:v1.2"},
		{"127.0.0.1:5000/demo/x:1", "", "run", "singularity run x-1.simg run", "singularity pull --name x-1.simg docker://127.0.0.1:5000/demo/x:1"},
		{"oras://host/x@sha256:ab", "2", "", "singularity run x-2.simg", "singularity pull --name x-2.simg oras://host/x@sha256:ab"},
		{"u/odd name:1", "1 beta", "a", "singularity run odd_name-1_beta.simg a", ""},
	} {
		execute, pull := commandsFor(c.container, c.version, c.line)
		if execute != c.execute || c.pull != "" && pull != c.pull {
			t.Errorf("%q and %q", execute, pull)
		}
		if got := commandLineOf(execute); got != c.line {
			t.Errorf("command line %q became %q", c.line, got)
		}
		if got := containerOf(pull); c.pull != "" && got != c.container {
			t.Errorf("container %q became %q", c.container, got)
		}
	}
}

// FuzzCommands: no server text makes the split panic or grow.
func FuzzCommands(f *testing.F) {
	f.Add("singularity run a.simg python run.py [X]", "singularity pull --name a docker://u/a:1")
	f.Fuzz(func(t *testing.T, execute, pull string) {
		if got := commandLineOf(execute); len(got) > len(execute) {
			t.Fatalf("%q from %q", got, execute)
		}
		if got := containerOf(pull); len(got) > len(pull) {
			t.Fatalf("%q from %q", got, pull)
		}
	})
}
