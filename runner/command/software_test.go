package command

import "testing"

func TestTailIsTheProgramsPart(t *testing.T) {
	tests := []struct{ command, want string }{
		{"singularity run s_myapp-v1.2.simg python run.py [CYTOMINE_HOST]", "python run.py [CYTOMINE_HOST]"},
		{"  docker run x.simg  [A] [B] ", "[A] [B]"},
		{"singularity run --nv x.simg python", "python"},
		{"apptainer exec x.sif python", "python"},
		{"singularity run x.simg", ""},
		{"python run.py [A]", "python run.py [A]"},
		{"python run model.py weights.img", "python run model.py weights.img"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := Tail(tt.command); got != tt.want {
			t.Errorf("Tail(%q) = %q, want %q", tt.command, got, tt.want)
		}
	}
}

func TestImageReferenceIsWhatIsPulled(t *testing.T) {
	tests := []struct{ command, want string }{
		{"singularity pull --name s_myapp-v1.2.simg docker://cytomine/s_myapp:v1.2", "cytomine/s_myapp:v1.2"},
		{`singularity pull --name x.simg "docker://localhost:5000/x@sha256:0123"`, "localhost:5000/x@sha256:0123"},
		{"cytomine/s_myapp:v1.2", "cytomine/s_myapp:v1.2"},
		{" cytomine/s_myapp ", "cytomine/s_myapp"},
		{"docker://cytomine/x", "cytomine/x"},
		{"oras://registry/x:1", "oras://registry/x:1"},
		{"docker build -t x:1 DIR && singularity pull --name x.simg docker-daemon://x:1", ""},
		{"singularity build x.simg docker-archive:/tmp/x.tar", ""},
		{"docker-archive:/tmp/x.tar", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := ImageReference(tt.command); got != tt.want {
			t.Errorf("ImageReference(%q) = %q, want %q", tt.command, got, tt.want)
		}
	}
}
