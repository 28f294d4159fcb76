package app

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/cache"
	"github.com/cytorun/cytorun/client/descriptor"
)

// Options of a uri are kept on disk for completions, for the first look at a
// list, and for when the server is away. JSON would take seconds for 100,000
// options; what is written here is read in a tenth of one.

// optionsFormat begins the file; another one is another version's.
const optionsFormat = "cytorun options 1\n"

// Limits of what is read back, against a file that is not whole.
const (
	maxOptionFields = 1000
	maxOptionText   = 1 << 20
)

func (s *Session) optionsKey(uri string) cache.Key {
	project := s.Project.ID
	if project == 0 {
		project = s.Profile.Project // not connected yet: the one used last
	}
	return s.answerKey("options of " + idText(project) + " " + uri)
}

// CachedOptions calls page with what the list of a parameter was when the server
// was last asked, and tells how long ago that was. It makes no request, and works
// before Connect for the project used last; ok is false where nothing is kept.
func (s *Session) CachedOptions(p descriptor.Parameter, page func([]client.Option) error) (age time.Duration, ok bool, err error) {
	file, age, ok := s.Env.answers().Open(s.optionsKey(p.URI))
	if !ok {
		return 0, false, nil
	}
	defer file.Close()
	started := false
	err = readOptions(bufio.NewReaderSize(file, 64<<10), func(o []client.Option) error {
		started = true
		return page(o)
	})
	if errors.Is(err, errNoOptions) && !started {
		return 0, false, nil
	}
	return age, true, err
}

// keepOptions stores a list that is complete.
func (s *Session) keepOptions(uri string, options []client.Option) {
	s.Env.answers().Write(s.optionsKey(uri), func(w io.Writer) error { return writeOptions(w, options) })
}

func writeOptions(to io.Writer, options []client.Option) error {
	w := bufio.NewWriterSize(to, 64<<10)
	text := func(s string) {
		var n [binary.MaxVarintLen64]byte
		_, _ = w.Write(n[:binary.PutUvarint(n[:], uint64(len(s)))])
		_, _ = w.WriteString(s) // the error stays with w until Flush
	}
	_, _ = w.WriteString(optionsFormat)
	for _, o := range options {
		var head [2 * binary.MaxVarintLen64]byte
		fields := 0
		for range o.Fields.All() {
			fields++
		}
		n := binary.PutVarint(head[:], int64(o.ID))
		n += binary.PutUvarint(head[n:], uint64(fields))
		if _, err := w.Write(head[:n]); err != nil {
			return err
		}
		for name, value := range o.Fields.All() {
			text(name)
			text(value)
		}
	}
	return w.Flush()
}

// errNoOptions tells that a file does not hold what writeOptions wrote.
var errNoOptions = errors.New("not a list of options")

func readOptions(r *bufio.Reader, page func([]client.Option) error) error {
	head := make([]byte, len(optionsFormat))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != optionsFormat {
		return errNoOptions
	}
	text := func() ([]byte, error) {
		n, err := binary.ReadUvarint(r)
		if err != nil || n > maxOptionText {
			return nil, fmt.Errorf("%w: a text of %d bytes", errNoOptions, n)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, errNoOptions
		}
		return b, nil
	}
	var pack client.FieldPacker
	const size = 500
	batch := make([]client.Option, 0, size)
	for {
		id, err := binary.ReadVarint(r)
		if errors.Is(err, io.EOF) {
			break
		}
		fields, ferr := binary.ReadUvarint(r)
		if err != nil || ferr != nil || fields > maxOptionFields {
			return errNoOptions
		}
		for range fields {
			name, err := text()
			if err != nil {
				return err
			}
			value, err := text()
			if err != nil {
				return err
			}
			pack.Add(name, value)
		}
		o := client.Option{ID: client.ID(id), Fields: pack.Fields()}
		if batch = append(batch, o); len(batch) == size {
			if err := page(batch); err != nil {
				return err
			}
			batch = make([]client.Option, 0, size)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return page(batch)
}
