package shapes

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Read reads a file of annotations and calls each for every shape, in order. An
// error from each stops it. What is wrong with the file is an *Error.
//
// The file is one of: an object with "annotations" (ours), an object with
// "features" (GeoJSON), one Feature, or a list of either.
func Read(r io.Reader, each func(Shape) error) error {
	in := &reader{d: json.NewDecoder(skipMark(r)), each: each}
	err := in.file()
	var told *told
	if errors.As(err, &told) {
		return told.err
	}
	return err
}

// Error says what is wrong with a file and where.
type Error struct {
	// Index is the annotation, from 0; -1 for the file itself.
	Index int
	Err   error
}

// Error counts annotations from 1, as people do.
func (e *Error) Error() string {
	if e.Index < 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("annotation %d: %v", e.Index+1, e.Err)
}

// Unwrap gives what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// told is an error of the caller's own, on its way out.
type told struct{ err error }

func (t *told) Error() string { return t.err.Error() }

type reader struct {
	d    *json.Decoder
	each func(Shape) error
	next int // index
}

// skipMark takes away the mark that some editors put in front of UTF-8.
func skipMark(r io.Reader) io.Reader {
	b := bufio.NewReaderSize(r, 64<<10)
	if head, err := b.Peek(3); err == nil && string(head) == "\xef\xbb\xbf" {
		_, _ = b.Discard(3)
	}
	return b
}

func (in *reader) wrong(format string, args ...any) error {
	return &Error{-1, fmt.Errorf(format, args...)}
}

// file reads the outermost value.
func (in *reader) file() error {
	t, err := in.d.Token()
	switch {
	case errors.Is(err, io.EOF):
		return in.wrong("the file is empty")
	case err != nil:
		return in.syntax(err)
	}
	switch t {
	case json.Delim('['):
		err = in.list(in.either)
	case json.Delim('{'):
		err = in.object()
	default:
		return in.wrong("an annotation file is an object with annotations or features, but this is %T", t)
	}
	if err != nil {
		return err
	}
	if _, err := in.d.Token(); !errors.Is(err, io.EOF) {
		return in.wrong("something follows the end of the annotations at byte %d", in.d.InputOffset())
	}
	return nil
}

// object reads the members of the outermost object.
func (in *reader) object() error {
	single := map[string]json.RawMessage{}
	seen := ""
	for in.d.More() {
		t, err := in.d.Token()
		if err != nil {
			return in.syntax(err)
		}
		name, _ := t.(string)
		switch name {
		case "annotations", "features":
			if seen != "" {
				return in.wrong("both %s and %s in one file", seen, name)
			}
			seen = name
			one := in.ours
			if name == "features" {
				one = in.feature
			}
			if t, err = in.d.Token(); err != nil {
				return in.syntax(err)
			}
			if t != json.Delim('[') {
				return in.wrong("%s should be a list", name)
			}
			if err := in.list(one); err != nil {
				return err
			}
		case "schema":
			var version int
			if err := in.d.Decode(&version); err != nil || version != Schema {
				return in.wrong("schema should be %d: this file is of another format", Schema)
			}
		case "geometry", "properties", "id":
			var v json.RawMessage
			if err := in.d.Decode(&v); err != nil {
				return in.syntax(err)
			}
			single[name] = v
		default:
			var skip json.RawMessage
			if err := in.d.Decode(&skip); err != nil {
				return in.syntax(err)
			}
		}
	}
	if _, err := in.d.Token(); err != nil {
		return in.syntax(err)
	}
	switch _, feature := single["geometry"]; {
	case seen != "":
		return nil
	case feature:
		data, err := json.Marshal(single)
		if err != nil {
			return in.syntax(err)
		}
		return in.feature(data)
	}
	return in.wrong("neither annotations nor features in the file")
}

// list reads the elements of a list that was opened.
func (in *reader) list(one func(json.RawMessage) error) error {
	for in.d.More() {
		var v json.RawMessage
		if err := in.d.Decode(&v); err != nil {
			return in.syntax(err)
		}
		if err := one(v); err != nil {
			return err
		}
		in.next++
	}
	if _, err := in.d.Token(); err != nil {
		return in.syntax(err)
	}
	return nil
}

// either is an element of a bare list.
func (in *reader) either(v json.RawMessage) error {
	var what struct {
		Geometry json.RawMessage `json:"geometry"`
	}
	if json.Unmarshal(v, &what) == nil && what.Geometry != nil {
		return in.feature(v)
	}
	return in.ours(v)
}

// give checks a shape and hands it on.
func (in *reader) give(s Shape) error {
	s.Index = in.next
	s.Name, s.Entry, s.TypeName, s.ID = cut(s.Name), cut(s.Entry), cut(s.TypeName), cut(s.ID)
	if err := s.check(); err != nil {
		return &Error{in.next, err}
	}
	if err := in.each(s); err != nil {
		return &told{err}
	}
	return nil
}

func (in *reader) syntax(err error) error {
	var mistake *json.SyntaxError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return in.wrong("the file ends in the middle, after %d annotations", in.next)
	case errors.As(err, &mistake):
		return in.wrong("no JSON at byte %d: %w", in.d.InputOffset(), err)
	}
	return &Error{-1, err} // of whoever hands out the bytes
}
