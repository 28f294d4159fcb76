package forms

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cytorun/cytorun/client"
)

// MaxFile is the size of the largest parameter file that is read, in bytes.
const MaxFile = 1 << 20

// What a hostile file can make us keep and say.
const (
	maxValues   = 5000
	maxMistakes = 100
)

// File is a parameter file that was read: one value for each parameter, as TOML
// (`sigma = 1.5`) or as one JSON object. An empty string or an empty list is no
// value, and takes a default away. A File says nothing about whether its values
// are good; see Validate and Place.
type File struct {
	// Values are in the order of the file, with the origin client.FromFile.
	Values []client.Value
	places map[string]place
}

// place is a line and a column, counted from 1; the zero place is none.
type place struct{ line, col int }

// ReadFile reads a parameter file. Problems say where reading failed; the values
// that could be read are returned all the same.
func ReadFile(data []byte) (File, Problems) {
	f := File{places: map[string]place{}}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var problems Problems
	switch {
	case len(data) > MaxFile:
		problems = Problems{{Message: fmt.Sprintf("the file has %d bytes, more than the %d of the largest parameter file", len(data), MaxFile)}}
	case !utf8.Valid(data):
		p := placer{data: data, place: place{1, 1}}
		problems = Problems{located("", "is not UTF-8 text from here on", p.at(validPrefix(data)))}
	case bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")):
		problems = f.readJSON(data)
	default:
		problems = f.readTOML(data)
	}
	return f, problems
}

// Place gives problems of values the places of these values in the file.
func (f File) Place(problems Problems) Problems {
	out := slices.Clone(problems)
	for i, p := range out {
		if at := f.places[p.Parameter]; p.Line == 0 {
			out[i].Line, out[i].Col = at.line, at.col
		}
	}
	slices.SortStableFunc(out, func(a, b Problem) int { return a.Line - b.Line })
	return out
}

func located(parameter, message string, at place) Problem {
	return Problem{Parameter: parameter, Message: message, Line: at.line, Col: at.col}
}

func (f *File) add(name, text string, at place) {
	f.Values = append(f.Values, client.Value{Parameter: name, Text: text, Origin: client.FromFile})
	f.places[name] = at // the second one, where a name is given twice
}

// readJSON reads one flat object. Numbers keep the text that was written.
func (f *File) readJSON(data []byte) Problems {
	r := jsonReader{decoder: json.NewDecoder(bytes.NewReader(data)), places: placer{data: data, place: place{1, 1}}}
	r.decoder.UseNumber()
	if err := r.object(f); err != nil {
		at := int(r.decoder.InputOffset())
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = int(syntax.Offset) - 1
		}
		message := strings.TrimPrefix(err.Error(), "json: ")
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			message = "the object does not end"
		}
		r.problems = append(r.problems, located("", "cannot read on: "+message, r.places.at(at)))
	}
	return r.problems
}

type jsonReader struct {
	decoder  *json.Decoder
	places   placer
	problems Problems
}

func (r *jsonReader) object(f *File) error {
	if _, err := r.decoder.Token(); err != nil {
		return err
	}
	for r.decoder.More() {
		if len(f.Values) >= maxValues || len(r.problems) >= maxMistakes {
			return fmt.Errorf("more than %d values or %d mistakes; this is no parameter file", maxValues, maxMistakes)
		}
		key, err := r.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		at := r.places.at(int(r.decoder.InputOffset()) - 1)
		text, wrong, err := r.value()
		switch {
		case err != nil:
			return err
		case wrong != "":
			r.problems = append(r.problems, located(name, wrong, at))
		default:
			f.add(name, text, at)
		}
	}
	if _, err := r.decoder.Token(); err != nil {
		return err
	}
	if _, err := r.decoder.Token(); err == nil {
		return errors.New("there is more after the end of the object")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// value reads a scalar or a list of scalars, whose texts are joined by commas.
// wrong says why another value has no meaning; it has been read all the same.
func (r *jsonReader) value() (text, wrong string, err error) {
	token, err := r.decoder.Token()
	if err != nil {
		return "", "", err
	}
	if _, nested := token.(json.Delim); !nested {
		return scalar(token), "", nil
	}
	var items strings.Builder
	list := token == json.Delim('[')
	for n, depth := 0, 1; depth > 0; n++ {
		if token, err = r.decoder.Token(); err != nil {
			return "", "", err
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
			list = false
		case json.Delim(']'), json.Delim('}'):
			depth--
		default:
			if n > 0 {
				items.WriteByte(',')
			}
			items.WriteString(scalar(token))
		}
	}
	if !list {
		return "", "is an object or a list of lists; write a value, or a list of values", nil
	}
	return items.String(), "", nil
}

// scalar is the text of a value of JSON; null is no value.
func scalar(token json.Token) string {
	switch v := token.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	}
	return ""
}

func (f *File) readTOML(data []byte) Problems {
	r := tomlReader{data: string(data), file: f}
	r.read()
	return r.problems
}

// placer turns offsets that only grow into places; columns count characters.
type placer struct {
	data   []byte
	offset int
	place  place
}

func (p *placer) at(offset int) place {
	offset = min(max(offset, p.offset), len(p.data))
	piece := p.data[p.offset:offset]
	if n := bytes.Count(piece, []byte("\n")); n > 0 {
		p.place = place{p.place.line + n, 1}
		piece = piece[bytes.LastIndexByte(piece, '\n')+1:]
	}
	p.place.col += utf8.RuneCount(piece)
	p.offset = offset
	return p.place
}

func validPrefix(data []byte) int {
	at := 0
	for at < len(data) {
		r, n := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && n < 2 {
			break
		}
		at += n
	}
	return at
}

// note marks the comment lines that tell an editor what is wrong.
const note = "#!! "

// Annotate puts each problem as a comment above the line that it is about, and
// takes earlier ones away; nothing else changes. Problems without a line come
// first.
func Annotate(data []byte, problems Problems) []byte {
	at := map[int][]string{}
	for _, p := range problems {
		text := p.Message
		if p.Parameter != "" {
			text = p.Parameter + ": " + text
		}
		at[p.Line] = append(at[p.Line], note+strings.Join(strings.Fields(text), " ")+"\n")
	}
	var b bytes.Buffer
	line := 0
	write := func() {
		for _, s := range at[line] {
			b.WriteString(s)
		}
		line++
	}
	write()
	for text := range bytes.Lines(data) {
		write()
		b.Write(text)
	}
	for ; line <= bytes.Count(data, []byte("\n"))+1; write() {
		// a problem at the end of the file
	}
	return b.Bytes()
}

// WithoutNotes takes away what Annotate wrote.
func WithoutNotes(data []byte) []byte {
	var b bytes.Buffer
	for text := range bytes.Lines(data) {
		if !bytes.HasPrefix(text, []byte(note)) {
			b.Write(text)
		}
	}
	return b.Bytes()
}
