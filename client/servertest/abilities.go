package servertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

func attachLog(t *testing.T, f Fixture) {
	logs := ability[client.LogStore](t, f, f.Server, client.KeepsLogs)
	ctx := t.Context()
	job, other := f.newJob(t), f.newJob(t)
	_, err := logs.JobLog(ctx, job.ID)
	is(t, err, client.ErrNotFound)
	large := bytes.Repeat([]byte("line \x1b[31mred\x1b[0m <html> é\r\n"), 200_000)
	for name, text := range map[string][]byte{"short": []byte("one\n"), "large": large, "empty": {}, "binary": {0, 1, 0xFF, '\n'}} {
		for kind, reader := range map[string]io.Reader{"of known size": bytes.NewReader(text), "as it comes": io.MultiReader(bytes.NewReader(text))} {
			if err := logs.AttachLog(ctx, job.ID, reader); err != nil {
				t.Errorf("%s, %s: %v", name, kind, err)
				continue
			}
			if got := readAll(t, func() (io.ReadCloser, error) { return logs.JobLog(ctx, job.ID) }); !bytes.Equal(got, text) {
				t.Errorf("%s, %s: %d bytes came back, want %d", name, kind, len(got), len(text))
			}
		}
	}
	_, err = logs.JobLog(ctx, other.ID)
	is(t, err, client.ErrNotFound)
	if err := logs.AttachLog(ctx, missing, strings.NewReader("x")); err == nil {
		t.Error("a log for a job that does not exist")
	}
	broken := errors.New("cannot read on")
	if err := logs.AttachLog(ctx, other.ID, io.MultiReader(strings.NewReader("begin"), failing{broken})); err == nil {
		t.Error("a log that could not be read was stored")
	}
	if _, err := logs.JobLog(ctx, other.ID); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("half a log is on the server: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func readAll(t *testing.T, open func() (io.ReadCloser, error)) []byte {
	t.Helper()
	body := must[io.ReadCloser](t)(open())
	defer body.Close()
	return must[[]byte](t)(io.ReadAll(body))
}

func jobFiles(t *testing.T, f Fixture) {
	store := ability[client.FileStore](t, f, f.Server, client.KeepsFiles)
	ctx := t.Context()
	job := f.newJob(t)
	if files := must[[]client.JobFile](t)(store.JobFiles(ctx, job.ID)); len(files) != 0 {
		t.Errorf("%+v", files)
	}
	page := []byte("<html>a report</html>")
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(rand.IntN(256))
	}
	f.AddFile(t, job, "report.html", page)
	f.AddFile(t, job, "model é.bin", data)
	files := must[[]client.JobFile](t)(store.JobFiles(ctx, job.ID))
	slices.SortFunc(files, func(a, b client.JobFile) int { return strings.Compare(a.Name, b.Name) })
	if len(files) != 2 || files[0].Name != "model é.bin" || files[0].Size != 1<<20 || files[1].Size != int64(len(page)) {
		t.Fatalf("%+v", files)
	}
	for i, want := range [][]byte{data, page} {
		if got := readAll(t, func() (io.ReadCloser, error) { return store.OpenJobFile(ctx, files[i].ID) }); !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d", files[i].Name, len(got), len(want))
		}
	}
	_, err := store.OpenJobFile(ctx, missing)
	is(t, err, client.ErrNotFound)
}

func jobKeys(t *testing.T, f Fixture) {
	keys := ability[client.JobKeys](t, f, f.Server, client.KeysPerJob)
	ctx := t.Context()
	job := f.newJob(t)
	own := must[client.Keys](t)(keys.JobKeys(ctx, job))
	again := must[client.Keys](t)(keys.JobKeys(ctx, client.Job{ID: job.ID}))
	if own != again || own.Public == "" || own.Private == "" || fmt.Sprintf("%v %+v %#v %s", own, own, own, own) != "(keys) (keys) (keys) (keys)" {
		t.Errorf("keys differ, or are shown: %v", own)
	}
	app := f.As(t, own)
	user := must[client.User](t)(app.CurrentUser(ctx))
	if user.Job != job.ID || user.ID != job.UserJob {
		t.Errorf("%+v", user)
	}
	done := must[client.Job](t)(app.UpdateJob(ctx, job.ID, func(c *client.JobChange) error { c.Status = client.Success; return nil }))
	if done.Status != client.Success || done.Username != f.Username {
		t.Errorf("%+v", done)
	}
	_, err := keys.JobKeys(ctx, client.Job{ID: missing})
	is(t, err, client.ErrNotFound)
}

func annotationCounts(t *testing.T, f Fixture) {
	counter := has[client.AnnotationCounter](t, f.Server)
	byImage := has[client.ImageCounter](t, f.Server)
	ctx := t.Context()
	job, other := f.newJob(t), f.newJob(t)
	if counts := must[[]client.TermCount](t)(counter.AnnotationCounts(ctx, job)); len(counts) != 0 {
		t.Errorf("%+v", counts)
	}
	term := f.Annotate(t, job, 30)
	f.Annotate(t, other, 5)
	for _, j := range []client.Job{job, {ID: job.ID}} {
		counts := must[[]client.TermCount](t)(counter.AnnotationCounts(ctx, j))
		total := 30
		if f.can(client.DrawsUntyped) {
			if len(counts) != 2 || counts[1].Name != "" || counts[1].Count != 30 || counts[1].Term != 0 {
				t.Fatalf("%+v", counts)
			}
			total = 60
		} else if len(counts) != 1 {
			t.Fatalf("%+v", counts)
		}
		if counts[0].Name != term || counts[0].Count != 30 || counts[0].Term == 0 {
			t.Fatalf("%+v", counts)
		}
		images := must[map[client.ID]int](t)(byImage.AnnotationsByImage(ctx, j))
		if len(images) != 1 || slices.Collect(maps.Values(images))[0] != total {
			t.Errorf("by image: %v, want %d", images, total)
		}
		for _, c := range counts {
			if c.Unit != "" && (c.Area <= 0 || c.Unit != "px²" && c.Unit != "µm²") {
				t.Errorf("%+v", c)
			}
		}
	}
}

func register(t *testing.T, f Fixture) {
	registrar := ability[client.Registrar](t, f, f.Server, client.RegistersByFile)
	ctx := t.Context()
	text := func(s string) *string { return &s }
	d := &descriptor.Descriptor{
		Name: "Registered", Description: "<b>does</b> it", CommandLine: "python run.py [CYTOMINE_HOST] [SIGMA] [IMAGES]",
		Container: descriptor.Container{Image: "user/s_registered"},
		Parameters: []descriptor.Parameter{
			{ID: "cytomine_host", Name: "Host", Type: descriptor.String, ValueKey: "[CYTOMINE_HOST]", Flag: "--cytomine_host", Optional: true, SetByServer: true},
			{ID: "sigma", Name: "Sigma", Type: descriptor.Number, ValueKey: "[SIGMA]", Flag: "--sigma", Default: text("0.5"), Optional: true, Description: "how <i>smooth</i>"},
			{ID: "images", Name: "Images", Type: descriptor.ListDomain, ValueKey: "[IMAGES]", Flag: "--images",
				URI: "/api/project/$currentProject$/imageinstance.json", URIPrint: "instanceFilename", URISort: "created"},
			{ID: "fast", Name: "Fast", Type: descriptor.Boolean, ValueKey: "FAST", Default: text("false"), Optional: true},
			{ID: "day", Name: "Day", Type: descriptor.Date, ValueKey: "[DAY]", Optional: true},
		},
	}
	request := client.NewAlgorithm{Descriptor: d, Version: "v1.0", Container: "registry.example:5000/user/s_registered:v1.0", Project: f.Project}
	first := must[client.Algorithm](t)(registrar.Register(ctx, request))
	second := must[client.Algorithm](t)(registrar.Register(ctx, request))
	if first.ID == 0 || !reflect.DeepEqual(first, second) {
		t.Errorf("registered twice: %+v and %+v", first, second)
	}
	if first.Name != d.Name || first.Version != "v1.0" || first.Description != d.Description || first.CommandLine != d.CommandLine || first.Container != request.Container {
		t.Errorf("%+v", first)
	}
	if len(first.Parameters) != len(d.Parameters) {
		t.Fatalf("%d parameters: %+v", len(first.Parameters), first.Parameters)
	}
	for i, want := range d.Parameters {
		got := first.Parameters[i].Parameter
		got.RawType = ""
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nbecame %+v", want, got)
		}
	}
	linked := must[[]client.Algorithm](t)(f.Server.Algorithms(ctx, f.Project))
	if n := len(slices.DeleteFunc(linked, func(a client.Algorithm) bool { return a.ID != first.ID })); n != 1 {
		t.Errorf("linked %d times", n)
	}
	request.Version, request.Container = "v1.1", "user/s_registered:v1.1"
	if next := must[client.Algorithm](t)(registrar.Register(ctx, request)); next.ID == first.ID || next.Container != request.Container {
		t.Errorf("%+v", next)
	}
	_, err := registrar.Register(ctx, client.NewAlgorithm{Descriptor: d, Version: "v2"})
	is(t, err, client.ErrInvalid)
}
