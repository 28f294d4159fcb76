package apptainer

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const aDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestExact(t *testing.T) {
	other := "sha256:" + strings.Repeat("1", 64)
	for _, c := range []struct {
		reference, want string
		ok              bool
	}{
		{"lab/nuclei:1.2", "lab/nuclei@" + aDigest, true},
		{"lab/nuclei", "lab/nuclei@" + aDigest, true},
		{"docker://ghcr.io/lab/nuclei:v1", "docker://ghcr.io/lab/nuclei@" + aDigest, true},
		{"localhost:5000/lab/nuclei", "localhost:5000/lab/nuclei@" + aDigest, true},
		{"localhost:5000/lab/nuclei:1", "localhost:5000/lab/nuclei@" + aDigest, true},
		{"oras://reg.example/lab/n:1", "oras://reg.example/lab/n@" + aDigest, true},
		{"lab/nuclei@" + other, "lab/nuclei@" + aDigest, true},
		{"lab/nuclei:1.2@" + other, "lab/nuclei:1.2@" + aDigest, true},
		{"/data/n.sif", "/data/n.sif", false},
		{"n.sif", "n.sif", false},
		{"docker-archive:/data/n.tar", "docker-archive:/data/n.tar", false},
		{"", "", false},
	} {
		got, ok := Exact(c.reference, aDigest)
		if got != c.want || ok != c.ok {
			t.Errorf("Exact(%q) = %q, %t; want %q, %t", c.reference, got, ok, c.want, c.ok)
		}
		if ok {
			if src, err := parse(got); err != nil || src.bare {
				t.Errorf("%q cannot be read back: %v", got, err)
			}
		}
	}
	if _, ok := Exact("lab/nuclei:1.2", "sha256:../../etc"); ok {
		t.Error("what is no digest was taken for one")
	}
}

func TestAContainerThatIsHereByItsDigestNeedsNoRegistry(t *testing.T) {
	dir := t.TempDir()
	c := cache{dir}
	if err := os.WriteFile(c.sif(aDigest), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := parse("127.0.0.1:1/lab/nuclei@" + aDigest) // nobody listens there
	if err != nil {
		t.Fatal(err)
	}
	digest, img, err := c.resolve(context.Background(), src.ref, "127.0.0.1:1/lab/nuclei@"+aDigest, func(string) {})
	if digest != aDigest || img != nil || err != nil {
		t.Errorf("%s, %v, %v", digest, img, err)
	}
}

func TestFileDigest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.sif")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	// printf abc | sha256sum
	const want = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got, err := FileDigest(t.TempDir(), path); got != want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if !IsFile(path) || IsFile("lab/nuclei:1") {
		t.Error("files and images are not told apart")
	}
	if _, err := FileDigest(t.TempDir(), path+"x"); err == nil {
		t.Error("a file that is not there has a digest")
	}
}

func TestAbsolute(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for reference, want := range map[string]string{
		"./n.sif": here + "/n.sif", "n.sif": here + "/n.sif", "../n.sif": filepath.Dir(here) + "/n.sif", "/n.sif": "/n.sif",
		"docker-archive:n.tar": "docker-archive:" + here + "/n.tar", "lab/n:1": "lab/n:1", "docker://lab/n:1": "docker://lab/n:1", "": "",
	} {
		if got := Absolute(reference); got != want {
			t.Errorf("Absolute(%q) = %q, want %q", reference, got, want)
		}
	}
}
