package upload

import (
	"bytes"
	"context"
	"fmt"
	"image/color"
	"image/png"
	"io"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/client/shapes"
)

// batch is how many annotations are in memory at once.
const batch = 10_000

// sender is one pass of writing.
type sender struct {
	Job
	found   Found
	ctx     context.Context
	sent    Sent
	meta    echo
	entries map[string]client.ID // of the result, by name
	waiting map[string][]one     // not written yet, by entry
	held    int                  // of them
	did     int                  // that are on the server
}

// one is an annotation to write.
type one struct {
	typ    client.ID
	vector exact.Vector
	score  float64
	uuid   string
	name   string
	meta   []byte
}

// Send writes what Check found. It may be repeated after an error; what is there
// already is left out.
func (j Job) Send(ctx context.Context, f Found) (Sent, error) {
	s := &sender{Job: j, found: f, ctx: ctx, entries: map[string]client.ID{}, waiting: map[string][]one{}}
	s.meta = newEcho(j.Run, j.Digest)
	if j.Run.Algorithm.Writes.Result() || len(f.Pictures) > 0 {
		result, _, err := j.Server.CreateResult(ctx, exact.NewResult{Job: j.Run.Job, Image: j.Run.Image.ID, Plugin: j.Run.Algorithm.ID})
		if err != nil {
			return s.sent, err
		}
		s.sent.Result = result.ID
	}
	s.told(0)
	for _, name := range f.Annotations {
		if err := j.read(name, func(shape shapes.Shape) error { return s.take(name, shape) }); err != nil {
			return s.sent, err
		}
	}
	if err := s.flush(); err != nil {
		return s.sent, err
	}
	for _, name := range f.Pictures {
		if err := s.picture(name); err != nil {
			return s.sent, err
		}
		s.sent.Pictures++
	}
	return s.sent, nil
}

func (s *sender) told(more int) {
	if s.Progress != nil {
		s.Progress(s.did+more, s.found.Survey.Shapes)
	}
}

// uuid is the identifier of an annotation, the same for ever.
func (j Job) uuid(file string, s shapes.Shape) string {
	return j.Server.UUID(j.Run.ID, file, s.Key())
}

// take keeps a shape until enough are together.
func (s *sender) take(file string, shape shapes.Shape) error {
	t, err := s.found.types.Find(shape)
	if err != nil {
		return err
	}
	vector, err := t.Vector(shape)
	if err != nil {
		return err
	}
	a := one{typ: t.ID, vector: vector, uuid: s.uuid(file, shape), name: shape.Name, meta: s.meta.of(shape)}
	if shape.Score != nil {
		a.score = *shape.Score
	}
	entry := entryOf(shape, file)
	s.waiting[entry] = append(s.waiting[entry], a)
	if s.held++; s.held >= batch {
		return s.flush()
	}
	return nil
}

// flush writes what was taken, entry by entry, in the order of the file.
func (s *sender) flush() error {
	for _, entry := range s.found.Survey.Entries {
		all := s.waiting[entry]
		if len(all) == 0 {
			continue
		}
		writes := s.Run.Algorithm.Writes
		if writes.Result() {
			if err := s.overlay(entry, all); err != nil {
				return err
			}
		}
		if writes.Annotations() {
			if err := s.ordinary(all, !writes.Result()); err != nil {
				return err
			}
		}
		s.did += len(all)
		s.sent.Annotations += len(all)
		delete(s.waiting, entry)
	}
	s.held = 0
	return nil
}

// overlay writes annotations into an entry of the result.
func (s *sender) overlay(entry string, all []one) error {
	id, err := s.entry(entry)
	if err != nil {
		return err
	}
	list := make([]exact.ResultAnnotation, len(all))
	for i, a := range all {
		list[i] = exact.ResultAnnotation{Image: s.Run.Image.ID, Type: a.typ, Vector: a.vector, Score: a.score, UUID: a.uuid, Meta: a.meta}
	}
	return s.Server.UploadResultAnnotations(s.ctx, id, list, s.told)
}

// entry is the id of an entry of the result, made at the first need.
func (s *sender) entry(name string) (client.ID, error) {
	if id, ok := s.entries[name]; ok {
		return id, nil
	}
	e, err := s.Server.CreateEntry(s.ctx, exact.NewEntry{Result: s.sent.Result, Name: name})
	if err != nil {
		return 0, err
	}
	s.entries[name] = e.ID
	return e.ID, nil
}

// ordinary writes annotations as people draw them.
func (s *sender) ordinary(all []one, tell bool) error {
	list := make([]exact.Annotation, len(all))
	for i, a := range all {
		list[i] = exact.Annotation{Image: s.Run.Image.ID, Type: a.typ, Vector: a.vector, UUID: a.uuid, Description: a.name, Meta: a.meta}
	}
	var progress func(int)
	if tell {
		progress = s.told
	}
	return s.Server.UpsertAnnotations(s.ctx, list, progress)
}

// mostPicture is how large a picture may be, in bytes: the server holds it in memory.
const mostPicture = 256 << 20

// picture writes a picture over the whole image.
func (s *sender) picture(name string) error {
	f, err := s.open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostPicture+1))
	if err != nil {
		return fmt.Errorf("cannot read what the program left: %w", err)
	}
	if len(data) > mostPicture {
		return fmt.Errorf("%s has more than %d MiB", name, mostPicture>>20)
	}
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%s is no PNG: %w", name, err)
	}
	channels := 3
	if config.ColorModel == color.GrayModel || config.ColorModel == color.Gray16Model {
		channels = 1
	}
	label := entryOf(shapes.Shape{}, name)
	entry, err := s.entry(label)
	if err != nil {
		return err
	}
	picture := exact.NewBitmap{Entry: entry, Image: s.Run.Image.ID, Name: label, FileName: name, PNG: data, Channels: channels, Meta: s.meta.of(shapes.Shape{})}
	if w, h := s.found.image.Width, s.found.image.Height; w > 0 && h > 0 {
		picture.Location = &[4]float64{0, 0, float64(w), float64(h)}
	}
	_, err = s.Server.CreateResultBitmap(s.ctx, picture)
	return err
}
