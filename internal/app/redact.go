package app

import (
	"bytes"
	"io"

	"github.com/cytorun/cytorun/runner/logfile"
)

// RedactLine strikes the keys out of a line of a log that is shown or exported.
// The run's own log stays as the program wrote it, readable by its owner alone.
func RedactLine(s string) string { return logfile.RedactKeys(s) }

// Redactor writes a log line by line without the keys in it. Close writes a
// last line that has no end.
type Redactor struct {
	w    io.Writer
	edit func(line string) string // of a line without its end; may be nil
	part []byte                   // of a line whose end has not come yet
}

// NewRedactor writes to w.
func NewRedactor(w io.Writer) *Redactor { return &Redactor{w: w} }

// maxPart bounds a line that does not end.
const maxPart = 1 << 20

// Write writes the lines, and the states of a progress bar, that are complete.
func (r *Redactor) Write(p []byte) (int, error) {
	r.part = append(r.part, p...)
	for {
		i := bytes.IndexAny(r.part, "\n\r")
		if i < 0 && len(r.part) > maxPart {
			i = maxPart - 1
		}
		if i < 0 {
			return len(p), nil
		}
		if err := r.line(r.part[:i+1]); err != nil {
			return 0, err
		}
		r.part = r.part[i+1:]
	}
}

// Close writes what has no end yet; w stays open.
func (r *Redactor) Close() error {
	defer func() { r.part = nil }()
	return r.line(r.part)
}

func (r *Redactor) line(b []byte) error {
	body := bytes.TrimRight(b, "\n\r")
	line := RedactLine(string(body))
	if r.edit != nil {
		line = r.edit(line)
	}
	_, err := io.WriteString(r.w, line+string(b[len(body):]))
	return err
}

// Each lets edit change every line, without its end, before it is written.
func (r *Redactor) Each(edit func(line string) string) { r.edit = edit }
