package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/text"
)

// FilePreview is the beginning of a result file.
type FilePreview struct {
	Text   []string   // lines, not yet safe to show; nil for a table or other bytes
	Table  [][]string // rows of a CSV file; nil for others
	Cut    bool       // there is more
	Binary bool       // it is not text
}

// previewSize is how much of a file is fetched to look at it, in bytes.
const previewSize = 64 << 10

// previewLines is how many lines or rows are shown of it.
const previewLines = 500

// PreviewFile fetches the beginning of a result file.
func (s *Session) PreviewFile(ctx context.Context, f ResultFile) (FilePreview, error) {
	body, err := s.openFile(ctx, f)
	if err != nil {
		return FilePreview{}, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, previewSize+1))
	if err != nil {
		return FilePreview{}, fmt.Errorf("cannot read %s: %w", text.Line(f.Name), err)
	}
	return preview(f.Name, data), nil
}

// preview reads up to previewSize bytes; one more tells that there are more.
func preview(name string, data []byte) FilePreview {
	p := FilePreview{Cut: len(data) > previewSize}
	if p.Cut {
		data = data[:previewSize]
		// The last line is not whole.
		if i := bytes.LastIndexByte(data, '\n'); i > 0 {
			data = data[:i+1]
		}
	}
	if bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) && !p.Cut {
		p.Binary = true
		return p
	}
	lower := strings.ToLower(name)
	if strings.HasSuffix(lower, ".csv") || strings.HasSuffix(lower, ".tsv") {
		p.Table = table(data, strings.HasSuffix(lower, ".tsv"))
	}
	if p.Table == nil {
		p.Text = strings.Split(strings.TrimRight(string(data), "\r\n"), "\n")
	}
	if len(p.Text) > previewLines {
		p.Text, p.Cut = p.Text[:previewLines], true
	}
	if len(p.Table) > previewLines {
		p.Table, p.Cut = p.Table[:previewLines], true
	}
	return p
}

// table reads comma, semicolon or tab separated rows; nil where it is none.
func table(data []byte, tabs bool) [][]string {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	switch {
	case tabs:
		r.Comma = '\t'
	case bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")):
		r.Comma = ';'
	}
	rows, err := r.ReadAll()
	if err != nil && len(rows) < 2 {
		return nil
	}
	return rows
}

func (s *Session) openFile(ctx context.Context, f ResultFile) (io.ReadCloser, error) {
	s = cmp.Or(f.home, s)
	store, ok := s.Server.(client.FileStore)
	if !ok {
		return nil, fmt.Errorf("cannot read %s: %w", text.Line(f.Name), client.Unsupported(s.Server, client.KeepsFiles))
	}
	if f.Size < 0 {
		return nil, fmt.Errorf("cannot read %s: its upload has not ended", text.Line(f.Name))
	}
	body, err := store.OpenJobFile(ctx, f.ID)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", text.Line(f.Name), err)
	}
	return body, nil
}

// SaveFile stores a result file in a new file and gives the checksum of what was
// written; one that is there stays as it is. What cannot be fetched whole leaves
// nothing behind.
func (s *Session) SaveFile(ctx context.Context, f ResultFile, path string) (sum string, err error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(home, rest)
	}
	body, err := s.openFile(ctx, f)
	if err != nil {
		return "", err
	}
	defer body.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("cannot save to %s: it is there already; choose another name", path)
	}
	if err != nil {
		return "", fmt.Errorf("cannot save %s: %w", text.Line(f.Name), err)
	}
	defer func() {
		if e := out.Close(); err == nil {
			err = e
		}
		if err != nil {
			_ = os.Remove(path)
			err = fmt.Errorf("cannot save %s to %s: %w", text.Line(f.Name), path, err)
		}
	}()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), body)
	if err != nil {
		return "", err
	}
	if n != f.Size {
		return "", fmt.Errorf("%d bytes came, the server says %d; try again", n, f.Size)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// ResultFile is a result file with its checksum, where that is known.
type ResultFile struct {
	client.JobFile
	SHA256 string // 64 hex digits, or empty

	home *Session // of its own server, nil where that is the one in use
}

// Files lists the result files of an analysis. Checksums are those that were
// recorded at the end of a run here, for files that have the same size still.
func (s *Session) Files(ctx context.Context, a Analysis) ([]ResultFile, error) {
	s, err := s.home(a)
	if err != nil {
		return nil, err
	}
	store, ok := s.Server.(client.FileStore)
	if !ok {
		return nil, fmt.Errorf("cannot list the files of %s: %w", a.Title(), client.Unsupported(s.Server, client.KeepsFiles))
	}
	if a.JobID() == 0 {
		return nil, nil
	}
	files, err := store.JobFiles(ctx, a.JobID())
	if err != nil {
		return nil, fmt.Errorf("cannot list the files of %s: %w", a.Title(), err)
	}
	var recorded Results
	var sums map[client.ID]string
	if a.Run != nil {
		recorded, sums, _ = RecordedResults(*a.Run)
	}
	out := make([]ResultFile, len(files))
	for i, f := range files {
		out[i].JobFile, out[i].home = f, s
		for _, was := range recorded.Files {
			if was.ID == f.ID && was.Size == f.Size {
				out[i].SHA256 = sums[f.ID]
			}
		}
	}
	return out, nil
}

// FileSum reads a result file and gives its checksum, as 64 hex digits.
func (s *Session) FileSum(ctx context.Context, f ResultFile) (string, error) {
	sum, err := cmp.Or(f.home, s).fileSum(ctx, f.JobFile)
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", text.Line(f.Name), err)
	}
	return sum, nil
}
