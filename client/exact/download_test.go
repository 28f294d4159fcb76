package exact

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact/exacttest"
)

// files are the paths below a folder.
func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, _ = filepath.Rel(dir, path)
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestImagesAreDownloadedWhole(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	content := bytes.Repeat([]byte("pixels "), 100_000)
	for name, im := range map[string]struct {
		image exacttest.Image
		want  string // relative to the folder
	}{
		"plain":            {exacttest.Image{Name: "a b (1).png", Content: content}, "a b (1).png"},
		"converted":        {exacttest.Image{Name: "a.czi", Filename: "a.tiff", Content: content}, "a.tiff"},
		"separators":       {exacttest.Image{Name: "../../etc/x.png", Content: content}, "x.png"},
		"other separators": {exacttest.Image{Name: `..\..\x.png`, Content: content}, "x.png"},
		"hidden":           {exacttest.Image{Name: ".bashrc", Content: content}, "image.bashrc"},
		"an option":        {exacttest.Image{Name: "-rf.png", Content: content}, "image-rf.png"},
		"quotes":           {exacttest.Image{Name: `a "b"; c.png`, Content: content}, `a "b"; c.png`},
		"two dots":         {exacttest.Image{Name: "..", Content: content}, "image"},
	} {
		dir := t.TempDir()
		image := client.ID(s.AddImage(s.demo.Set, im.image))
		last := int64(0)
		path, err := c.DownloadImage(t.Context(), image, dir, func(done, total int64) {
			if last = done; total != int64(len(content)) {
				t.Errorf("%s: a total of %d", name, total)
			}
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, content) || path != filepath.Join(dir, im.want) || last != int64(len(content)) {
			t.Errorf("%s: %d bytes in %s, %v", name, len(got), path, err)
		}
		if all := files(t, dir); len(all) != 1 {
			t.Errorf("%s: %v", name, all)
		}
		s.Forget()
		if again, err := c.DownloadImage(t.Context(), image, dir, nil); err != nil || again != path {
			t.Errorf("%s again: %s, %v", name, again, err)
		}
		if slices.ContainsFunc(s.paths(), func(p string) bool { return strings.Contains(p, downloadPath) }) {
			t.Errorf("%s was downloaded twice", name)
		}
	}
}

func TestADownloadCutInHalfBeginsAnew(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	image := client.ID(s.AddImage(s.demo.Set, exacttest.Image{Name: "big.svs", Content: []byte("0123456789abcdef"), Size: 64 << 20}))
	dir := t.TempDir()
	s.FaultNext(2, "GET", downloadPath, exacttest.Fault{Cut: 32 << 20})
	path, err := c.DownloadImage(t.Context(), image, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 64<<20 {
		t.Errorf("%v, %v", info, err)
	}
	other := t.TempDir()
	s.FaultNext(10, "GET", downloadPath, exacttest.Fault{Cut: 1 << 20})
	if _, err := c.DownloadImage(t.Context(), image, other, nil); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("always cut: %v", err)
	}
	if left := files(t, other); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDownloadsThatMayNotBe(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	dir := t.TempDir()
	image := client.ID(s.demo.Images[0])
	if _, err := s.as(t, "outsider", Options{}).DownloadImage(t.Context(), image, dir, nil); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	c := s.as(t, "worker", Options{})
	if _, err := c.DownloadImage(t.Context(), 1<<40, dir, nil); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("no such image: %v", err)
	}
	empty := client.ID(s.AddImage(s.demo.Set, exacttest.Image{Name: "empty.png"}))
	if _, err := c.DownloadImage(t.Context(), empty, dir, nil); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("an empty image: %v", err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestImagesOfSeveralFilesAreUnpacked(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	for name, im := range map[string]struct {
		file string
		zip  map[string]string
		main string
		all  []string
	}{
		"mirax":  {"slide.mrxs", map[string]string{"slide/Data0001.dat": "one", "slide/Slidedat.ini": "two", "slide.mrxs": "main"}, "slide.mrxs", []string{"slide/Data0001.dat", "slide/Slidedat.ini", "slide.mrxs"}},
		"spaces": {"my slide.MRXS", map[string]string{"my slide/x.dat": "one", "my slide.MRXS": "main"}, "my slide.MRXS", []string{"my slide/x.dat", "my slide.MRXS"}},
	} {
		dir := t.TempDir()
		image := client.ID(s.AddImage(s.demo.Set, exacttest.Image{Name: im.file, Zip: im.zip}))
		path, err := c.DownloadImage(t.Context(), image, dir, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "main" || path != filepath.Join(dir, im.main) {
			t.Errorf("%s: %q in %s, %v", name, got, path, err)
		}
		got := files(t, dir)
		slices.Sort(got)
		slices.Sort(im.all)
		if !slices.Equal(got, im.all) {
			t.Errorf("%s: %v, want %v", name, got, im.all)
		}
		if again, err := c.DownloadImage(t.Context(), image, dir, nil); err != nil || again != path {
			t.Errorf("%s again: %s, %v", name, again, err)
		}
	}
}

// Nothing of an archive that reaches outside of its folder is written.
func TestArchivesThatReachOutsideAreRefused(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	for name, entry := range map[string]string{
		"a step up":        "../evil",
		"steps in between": "slide/../../evil",
		"absolute":         "/tmp/evil",
		"backslashes":      `slide\..\..\evil`,
		"something else":   "spec.json",
		"a hidden part":    ".unpack-1/x",
	} {
		outside := t.TempDir()
		dir := filepath.Join(outside, "work")
		image := client.ID(s.AddImage(s.demo.Set, exacttest.Image{Name: "slide.mrxs", Zip: map[string]string{"slide.mrxs": "main", entry: "evil"}}))
		_, err := c.DownloadImage(t.Context(), image, dir, nil)
		if !errors.Is(err, client.ErrInvalid) || client.Transient(err) {
			t.Errorf("%s: %v", name, err)
		}
		if left := files(t, outside); len(left) != 0 {
			t.Errorf("%s left %v", name, left)
		}
	}
}

func archive(t testing.TB, entries ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		to, err := w.Create(e[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write([]byte(e[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchivesThatAreNotWhole(t *testing.T) {
	whole := archive(t, [2]string{"slide/a.dat", strings.Repeat("data", 1000)}, [2]string{"slide.mrxs", "main"})
	dir := t.TempDir()
	for n := range len(whole) {
		if _, err := unpack(bytes.NewReader(whole[:n]), int64(n), "slide.mrxs", dir); err == nil {
			t.Fatalf("the first %d of %d bytes were taken for all", n, len(whole))
		}
	}
	flipped := bytes.Clone(whole)
	flipped[45] ^= 0xff // in the packed data
	if _, err := unpack(bytes.NewReader(flipped), int64(len(flipped)), "slide.mrxs", dir); !errors.Is(err, errCut) {
		t.Errorf("a flipped bit: %v", err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	bomb := archive(t, [2]string{"slide.mrxs", strings.Repeat("\x00", 10<<20)})
	if _, err := unpack(bytes.NewReader(bomb), int64(len(bomb)), "slide.mrxs", dir); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("%d bytes that become ten million: %v", len(bomb), err)
	}
	twice := archive(t, [2]string{"slide.mrxs", "a"}, [2]string{"slide.mrxs", "b"})
	if _, err := unpack(bytes.NewReader(twice), int64(len(twice)), "slide.mrxs", dir); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("the same file twice: %v", err)
	}
	olympus := archive(t, [2]string{"_x_/stack1/frame_t.ets", "data"}, [2]string{"_x_/x.vsi", "main"})
	path, err := unpack(bytes.NewReader(olympus), int64(len(olympus)), "x.vsi", dir)
	if err != nil || path != filepath.Join(dir, "_x_", "x.vsi") {
		t.Errorf("%s, %v", path, err)
	}
}
