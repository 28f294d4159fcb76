package supervisor

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/runner"
)

func itoa(n int) string { return strconv.Itoa(n) }

// readBody reads a request's body and puts it back.
func readBody(r *http.Request) string {
	b, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(b))
	return string(b)
}

// everyFile reads all files below a folder.
func everyFile(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		all[path] = string(b)
		return err
	}))
	return all
}

// jobLog is the log that the server has of a run.
func jobLog(t *testing.T, s *site, run runner.Run) string {
	t.Helper()
	r, err := s.server.(client.LogStore).JobLog(tctx, run.Job)
	must(t, err)
	defer r.Close()
	b, err := io.ReadAll(r)
	must(t, err)
	return string(b)
}
