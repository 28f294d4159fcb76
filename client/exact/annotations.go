package exact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/cytorun/cytorun/client"
)

// UUID makes a UUID (version 5) of parts that is always the same on this server,
// such as the id of a run, the number of a job and the index of an annotation.
func (c *Client) UUID(parts ...string) string {
	site := uuid.NewSHA1(uuid.NameSpaceURL, []byte(c.base))
	return uuid.NewSHA1(site, []byte(strings.Join(parts, "\x00"))).String()
}

type wireAnnotation struct {
	ID          client.ID
	Image       reference
	Type        reference `json:"annotation_type"`
	Entry       reference `json:"pluginresultentry"`
	User        reference
	Vector      Vector
	Score       *float64
	UUID        text            `json:"unique_identifier"`
	Meta        json.RawMessage `json:"meta_data"`
	Time        text
	Deleted     bool
	Verified    bool `json:"verified_by_user"`
	Description text
}

// meta is a JSON object, or nil.
func meta(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	return append(json.RawMessage(nil), raw...)
}

func (c *Client) shapeOf(w wireAnnotation) ResultAnnotation {
	a := ResultAnnotation{ID: w.ID, Entry: client.ID(w.Entry), Image: client.ID(w.Image), Type: client.ID(w.Type), Vector: w.Vector,
		UUID: string(w.UUID), Meta: meta(w.Meta), Time: c.clock.instant(string(w.Time))}
	if w.Score != nil {
		a.Score = *w.Score
	}
	return a
}

func (c *Client) annotationOf(w wireAnnotation) Annotation {
	return Annotation{ID: w.ID, Image: client.ID(w.Image), Type: client.ID(w.Type), Vector: w.Vector, UUID: string(w.UUID), Deleted: w.Deleted,
		Description: string(w.Description), Meta: meta(w.Meta), User: client.ID(w.User), Verified: w.Verified, Time: c.clock.instant(string(w.Time))}
}

// EachResultAnnotation calls each for every annotation of an entry. vectors asks
// for the vectors too, which are most of the bytes.
func (c *Client) EachResultAnnotation(ctx context.Context, entry client.ID, vectors bool, each func(ResultAnnotation) error) error {
	if err := c.learn(ctx); err != nil {
		return err
	}
	fields := "id,annotation_type,pluginresultentry,image,score,unique_identifier,meta_data,time"
	if vectors {
		fields += ",vector"
	}
	path := with(shapesPath, "pluginresultentry", idText(entry), "fields", fields)
	return c.eachPage(ctx, path, annotationPage, func(raw []byte) error {
		var w wireAnnotation
		if json.Unmarshal(raw, &w) != nil || client.ID(w.Entry) != entry {
			return nil
		}
		return each(c.shapeOf(w))
	})
}

// CreateResultAnnotation adds an annotation to an entry. Doing so again adds
// another one, whatever its UUID; see UploadResultAnnotations.
func (c *Client) CreateResultAnnotation(ctx context.Context, a ResultAnnotation) (ResultAnnotation, error) {
	object := map[string]any{"annotation_type": a.Type, "pluginresultentry": a.Entry, "image": a.Image, "vector": a.Vector, "score": a.Score}
	if a.UUID != "" {
		object["unique_identifier"] = a.UUID
	}
	if a.Meta != nil {
		object["meta_data"] = a.Meta
	}
	var w wireAnnotation
	response, err := c.write(ctx, http.MethodPost, shapesPath, object, &w)
	if err != nil {
		return ResultAnnotation{}, err
	}
	c.clock.observe(string(w.Time), response.Header().Get("Date"))
	return c.shapeOf(w), nil
}

// UpsertAnnotation writes an ordinary annotation: a new one, or over the one of
// this image that has the same UUID. The server then changes its vector, type and
// deleted mark only. It may be repeated, and is where the answer is lost.
func (c *Client) UpsertAnnotation(ctx context.Context, a Annotation) (Annotation, error) {
	if a.UUID == "" || a.Image == 0 {
		return Annotation{}, fmt.Errorf("an annotation needs an image and a UUID: %w", client.ErrInvalid)
	}
	object := map[string]any{"image": a.Image, "annotation_type": a.Type, "vector": a.Vector, "unique_identifier": a.UUID,
		"deleted": a.Deleted, "description": a.Description}
	if a.Meta != nil {
		object["meta_data"] = a.Meta
	}
	var w wireAnnotation
	err := c.again(ctx, func() error {
		w = wireAnnotation{}
		response, err := c.write(ctx, http.MethodPost, annotationsPath, object, &w)
		if err == nil && response.StatusCode() == http.StatusCreated {
			c.clock.observe(string(w.Time), response.Header().Get("Date"))
		}
		return err
	})
	if err == nil && w.ID == 0 {
		err = c.unreadable(annotationsPath, errors.New("no annotation in it"))
	}
	if err != nil {
		return Annotation{}, err
	}
	return c.annotationOf(w), nil
}

// maxQueryUUIDs is how many UUIDs are asked for in one request, because of the
// length of its address.
const maxQueryUUIDs = 100

// EachAnnotation calls each for every ordinary annotation that was not deleted.
func (c *Client) EachAnnotation(ctx context.Context, q AnnotationQuery, each func(Annotation) error) error {
	if err := c.learn(ctx); err != nil {
		return err
	}
	fields := "id,annotation_type,image,user,unique_identifier,meta_data,time,deleted,verified_by_user,description"
	if q.Vectors {
		fields += ",vector"
	}
	// The server takes False and 0, but not false.
	path := with(annotationsPath, "deleted", "False", "fields", fields)
	if q.Image != 0 {
		path = with(path, "image", idText(q.Image))
	}
	if q.User != 0 {
		path = with(path, "user", idText(q.User))
	}
	if !q.Since.IsZero() {
		path = with(path, "time__gte", c.clock.naive(q.Since))
	}
	list := func(path string, wanted map[string]bool) error {
		return c.eachPage(ctx, path, annotationPage, func(raw []byte) error {
			var w wireAnnotation
			if json.Unmarshal(raw, &w) != nil || w.Deleted || q.Image != 0 && client.ID(w.Image) != q.Image ||
				q.User != 0 && client.ID(w.User) != q.User || wanted != nil && !wanted[strings.ToLower(string(w.UUID))] {
				return nil
			}
			return each(c.annotationOf(w))
		})
	}
	if q.UUIDs == nil {
		return list(path, nil)
	}
	for rest := q.UUIDs; len(rest) > 0; {
		n := min(len(rest), maxQueryUUIDs)
		wanted := map[string]bool{}
		for _, id := range rest[:n] {
			wanted[strings.ToLower(id)] = true
		}
		if err := list(with(path, "unique_identifier__in", strings.Join(rest[:n], ",")), wanted); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// DeleteAnnotations deletes ordinary annotations, for good where the user has the
// right to; else they are marked as deleted, as the server's own pages do.
func (c *Client) DeleteAnnotations(ctx context.Context, ids []client.ID) error {
	for len(ids) > 0 {
		n := min(len(ids), 500)
		_, err := c.do(ctx, call{method: http.MethodDelete, path: with(annotationsPath+"multiple_delete/", "id__in", idList(ids[:n]))})
		if errors.Is(err, client.ErrForbidden) {
			err = c.markDeleted(ctx, ids[:n])
		}
		if err != nil {
			return fmt.Errorf("cannot delete annotations: %w", err)
		}
		ids = ids[n:]
	}
	return nil
}

// markDeleted writes annotations as they are, but deleted, which needs no more
// rights than to write them.
func (c *Client) markDeleted(ctx context.Context, ids []client.ID) error {
	wanted := map[client.ID]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	var all []Annotation
	path := with(annotationsPath, "fields", "id,annotation_type,image,unique_identifier,vector,description", "id__in", idList(ids))
	err := c.eachPage(ctx, path, annotationPage, func(raw []byte) error {
		var w wireAnnotation
		if json.Unmarshal(raw, &w) == nil && wanted[w.ID] {
			a := c.annotationOf(w)
			a.Deleted = true
			all = append(all, a)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.UpsertAnnotations(ctx, all, nil)
}
