package descriptor

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/tailscale/hujson"
)

// Parse reads a descriptor and says what is unusual about it, in the order of
// the text. The descriptor is nil only when data is not a JSON object; then a
// Finding of severity Error says where reading stopped. An input that cannot
// be used is left out with an Error of its own. file is only repeated in the
// findings.
func Parse(file string, data []byte) (*Descriptor, []Finding) {
	r := &reader{data: data, budget: 4*len(data) + 64<<10}
	d := r.document()
	return d, r.report(file)
}

// maxFindings bounds what a hostile file can make us say.
const maxFindings = 1000

// reader collects findings by byte offset while a file is read.
type reader struct {
	data     []byte
	findings []remark
	dropped  int      // findings beyond maxFindings
	worst    Severity // of the dropped ones
	budget   int      // bytes that replacing @id may still add
}

type remark struct {
	offset   int
	severity Severity
	message  string
}

func (r *reader) warn(offset int, format string, args ...any) {
	r.add(offset, Warning, fmt.Sprintf(format, args...))
}

func (r *reader) fail(offset int, format string, args ...any) {
	r.add(offset, Error, fmt.Sprintf(format, args...))
}

func (r *reader) add(offset int, s Severity, message string) {
	if len(r.findings) >= maxFindings {
		r.dropped++
		r.worst = max(r.worst, s)
		return
	}
	r.findings = append(r.findings, remark{offset, s, message})
}

// report turns offsets into lines and columns in one pass over the data.
func (r *reader) report(file string) []Finding {
	slices.SortStableFunc(r.findings, func(a, b remark) int { return cmp.Compare(a.offset, b.offset) })
	if r.dropped > 0 {
		r.findings = append(r.findings, remark{len(r.data), r.worst, fmt.Sprintf("%d more findings are not shown", r.dropped)})
	}
	var findings []Finding
	line, col, at := 1, 1, 0
	for _, f := range r.findings {
		for skipped := r.data[at:min(f.offset, len(r.data))]; len(skipped) > 0; {
			if i := bytes.IndexByte(skipped, '\n'); i >= 0 {
				line, col, at, skipped = line+1, 1, at+i+1, skipped[i+1:]
				continue
			}
			col += utf8.RuneCount(skipped)
			at += len(skipped)
			skipped = nil
		}
		findings = append(findings, Finding{File: file, Line: line, Col: col, Severity: f.severity, Message: f.message})
	}
	return findings
}

// document reads the whole file.
func (r *reader) document() *Descriptor {
	tree, ok := r.syntax()
	if !ok {
		return nil
	}
	top, ok := r.object(tree)
	if !ok {
		r.fail(tree.StartOffset, "a descriptor is a JSON object, but this is %s", kindName(tree))
		return nil
	}
	return r.descriptor(top)
}

// kindName names a JSON value for a message.
func kindName(v hujson.Value) string {
	switch v.Value.Kind() {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	}
	return "a number"
}
