package upload

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/client/shapes"
)

// kept is one annotation in the format of package shapes.
type kept struct {
	Type   client.ID       `json:"type"`
	Vector exact.Vector    `json:"vector,omitempty"`
	Score  float64         `json:"score"`
	UUID   string          `json:"uuid,omitempty"`
	Entry  string          `json:"entry"`
	Meta   json.RawMessage `json:"meta,omitempty"`
}

// Keep writes the plugin result of a job into a file, in the format in which file
// programs write, before a run that redoes the job deletes it: EXACT keeps one
// result. It tells how many annotations there were; without a result no file is
// written. Bitmaps are not kept.
func Keep(ctx context.Context, server *exact.Client, job client.ID, path string) (n int, err error) {
	results, err := server.Results(ctx, exact.ResultQuery{Job: job})
	if err != nil || len(results) == 0 {
		return 0, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return 0, fmt.Errorf("cannot keep what job %d wrote: %w", job, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	out := bufio.NewWriter(f)
	fmt.Fprintf(out, `{"schema":%d,"annotations":[`, shapes.Schema) // errors stay until Flush
	for _, r := range results {
		entries, err := server.Entries(ctx, r.ID)
		if err != nil {
			return 0, err
		}
		for _, e := range entries {
			err := server.EachResultAnnotation(ctx, e.ID, true, func(a exact.ResultAnnotation) error {
				line, err := json.Marshal(kept{a.Type, a.Vector, a.Score, a.UUID, e.Name, a.Meta})
				if err != nil {
					return err
				}
				if n++; n > 1 {
					_ = out.WriteByte(',')
				}
				_ = out.WriteByte('\n')
				_, err = out.Write(line)
				return err
			})
			if err != nil {
				return 0, err
			}
		}
	}
	_, _ = out.WriteString("\n]}\n")
	if err := errors.Join(out.Flush(), f.Sync(), f.Close(), os.Rename(f.Name(), path)); err != nil {
		return 0, fmt.Errorf("cannot keep what job %d wrote: %w", job, err)
	}
	return n, nil
}
