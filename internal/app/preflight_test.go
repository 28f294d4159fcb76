package app

import (
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// A first analysis fetches its container: that is told, and is no reason to ask.
func TestAContainerThatIsFetchedIsNoWarning(t *testing.T) {
	s := newSite(t)
	web := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(web.Close)
	host := strings.TrimPrefix(web.URL, "http://")
	img, err := random.Image(3<<20, 1)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(host+"/lab/app:1.0", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
	c := s.checkContainer(tctx, LaunchRequest{Container: host + "/lab/app:1.0"})
	if !c.OK || c.Warn || !c.Tell || !strings.HasPrefix(c.Text, fmt.Sprintf("%s/lab/app:1.0 is fetched first, 3", host)) {
		t.Errorf("%+v", c)
	}
	if want := " while it is built, "; !strings.Contains(c.Text, want) || !strings.Contains(c.Text, s.Env.Paths.Containers) {
		t.Errorf("%q does not say what it takes where", c.Text)
	}
	c = s.checkContainer(tctx, LaunchRequest{Container: "127.0.0.1:1/lab/app:1.0"})
	if !c.OK || !c.Warn || c.Next != "the run waits for the registry" {
		t.Errorf("a registry that is away: %+v", c)
	}
	c = s.checkContainer(tctx, LaunchRequest{Container: host + "/lab/none:1.0"})
	if c.OK || !strings.Contains(c.Text, "no such image") {
		t.Errorf("a container that is not there: %+v", c)
	}
	// The file is there under another name of the same image.
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	dir := s.Env.Paths.Containers
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(digest.String(), ":", "-")+".sif"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	c = s.checkContainer(tctx, LaunchRequest{Container: host + "/lab/app:1.0"})
	if !c.OK || c.Warn || c.Tell || !strings.HasSuffix(c.Text, "/lab/app:1.0 is here") {
		t.Errorf("a container that is here: %+v", c)
	}
}

func TestAFolderForEverybodyStaysAsOpenAsItIs(t *testing.T) {
	dir := t.TempDir()
	for before, after := range map[os.FileMode]os.FileMode{0o700: 0o755, 0o775: 0o775, 0o750: 0o755} {
		if err := os.Chmod(dir, before); err != nil {
			t.Fatal(err)
		}
		err := openToAll(dir)
		if st, _ := os.Stat(dir); err != nil || st.Mode().Perm() != after {
			t.Errorf("%04o: %04o, %v", before, st.Mode().Perm(), err)
		}
	}
}
