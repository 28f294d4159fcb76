package apptainer

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// fullDisk names a folder on a small file system to the test that runs in it.
const fullDisk = "CYTORUN_TEST_FULL_DISK"

func TestFullDiskIsToldAndLeavesNoContainer(t *testing.T) {
	installed(t)
	const disk = `mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@"`
	// Of the file systems whose quotas need no settings of the box.
	const quota = `truncate -s 200M "$2.img" && mkfs.btrfs -q "$2.img" >/dev/null && mount -o loop "$2.img" "$2" && rm "$2.img" &&
		btrfs quota enable "$2" && btrfs qgroup limit "$1" "$2" && shift 2 && exec "$@"`
	for _, c := range []struct{ name, flags, prepare, size, ballast, says string }{
		{"a disk that is too small", "-rm", disk, "2m", "", "on the disk of the containers: its layers are 3."},
		{"a disk while layers come", "-rm", disk, "8m", "6m", "on the disk of the containers; free some"},
		{"a disk while the container is built", "-rm", disk, "5m", "", "on the disk of the containers; free some"},
		{"a quota while layers come", "-m", quota, "2m", "", "in your quota; free some"},
		{"a quota while the container is built", "-m", quota, "5m", "", "in your quota; free some"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := exec.LookPath("mkfs.btrfs"); c.prepare == quota && (err != nil || os.Geteuid() != 0) {
				t.Skip("needs root and btrfs-progs for a file system with quotas")
			}
			dir := folder(t)
			cmd := exec.Command("unshare", c.flags, "sh", "-c", c.prepare, "sh", c.size, dir,
				os.Args[0], "-test.run", "^TestInsideFullDisk$", "-test.v")
			cmd.Env = append(os.Environ(), fullDisk+"="+dir, "CYTORUN_TEST_BALLAST="+c.ballast)
			out, err := cmd.CombinedOutput()
			if strings.Contains(string(out), "unshare failed") || strings.Contains(string(out), "mount:") {
				t.Skipf("needs user namespaces and mounts: %s", out)
			}
			if !strings.Contains(string(out), c.says) {
				t.Errorf("it does not say %q", c.says)
			}
			if err != nil || !strings.Contains(string(out), "--- PASS: TestInsideFullDisk") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestInsideFullDisk(t *testing.T) {
	dir := os.Getenv(fullDisk)
	if dir == "" {
		return // this is a part of TestFullDiskIsToldAndLeavesNoContainer
	}
	a, _ := installed(t)
	l, err := random.Layer(3<<20, types.DockerLayer)
	if err != nil {
		t.Fatal(err)
	}
	host := registryHost(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
				if os.Getenv("CYTORUN_TEST_BALLAST") != "" { // somebody else fills the disk
					if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 6<<20), 0o600); err != nil {
						t.Error(err)
					}
				}
			}
			h.ServeHTTP(w, r)
		})
	})
	push(t, host+"/lab/big:1", testImage(t, v1.Config{Cmd: []string{"x"}}, l))
	_, err = a.Ensure(t.Context(), dir, host+"/lab/big:1", func(string) {})
	if !errors.Is(err, ErrDisk) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	t.Log(err)
	if left, _ := filepath.Glob(filepath.Join(dir, "*.sif")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "tmp", "*", "layout", "blobs", "sha256", "part-*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "tmp", "*", "*.sif")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
