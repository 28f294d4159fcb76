package exact

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

type wireResult struct {
	ID                 client.ID
	Job, Image, Plugin reference
	DefaultAlpha       float64 `json:"default_alpha"`
	Created            text    `json:"created_time"`
	Completed          text    `json:"completed_time"`
	Entries            []json.RawMessage
}

func (c *Client) resultOf(w wireResult) Result {
	return Result{ID: w.ID, Job: client.ID(w.Job), Image: client.ID(w.Image), Plugin: client.ID(w.Plugin), DefaultAlpha: w.DefaultAlpha,
		Created: c.clock.instant(string(w.Created)), Completed: c.clock.instant(string(w.Completed))}
}

// Results lists plugin results, newest first; also the ones of deleted jobs.
func (c *Client) Results(ctx context.Context, q ResultQuery) ([]Result, error) {
	if err := c.learn(ctx); err != nil {
		return nil, err
	}
	path := with(resultsPath, "omit", "entries")
	for _, f := range []struct {
		name string
		id   client.ID
	}{{"job_id", q.Job}, {"image_id", q.Image}, {"plugin_id", q.Plugin}} {
		if f.id != 0 {
			path = with(path, f.name, idText(f.id))
		}
	}
	results := []Result{}
	err := c.each(ctx, path, func(raw []byte) error {
		var w wireResult
		if json.Unmarshal(raw, &w) != nil {
			return nil
		}
		r := c.resultOf(w)
		if (q.Job == 0 || r.Job == q.Job) && (q.Image == 0 || r.Image == q.Image) && (q.Plugin == 0 || r.Plugin == q.Plugin) {
			results = append(results, r)
		}
		return nil
	})
	return results, err
}

// CreateResult makes the result of a job, or gives the one that it has: then
// existed is true, and its entries may already hold something.
func (c *Client) CreateResult(ctx context.Context, n NewResult) (r Result, existed bool, err error) {
	object := map[string]any{"job": n.Job, "image": n.Image, "plugin": n.Plugin, "entries": []int{}}
	if n.DefaultAlpha > 0 {
		object["default_alpha"] = n.DefaultAlpha
	}
	var w wireResult
	response, err := c.write(ctx, http.MethodPost, resultsPath, object, &w)
	if err == nil {
		c.clock.observe(string(w.Created), response.Header().Get("Date"))
		return c.resultOf(w), false, nil
	}
	if !mayBeThere(err) {
		return Result{}, false, fmt.Errorf("cannot create the result of job %d: %w", n.Job, err)
	}
	results, lookErr := c.Results(ctx, ResultQuery{Job: n.Job})
	if lookErr != nil || len(results) == 0 {
		return Result{}, false, fmt.Errorf("cannot create the result of job %d: %w", n.Job, err)
	}
	return results[0], true, nil
}

// CompleteResult notes that a result is complete now.
func (c *Client) CompleteResult(ctx context.Context, id client.ID) error {
	if err := c.learn(ctx); err != nil {
		return err
	}
	_, err := c.write(ctx, http.MethodPatch, one(resultsPath, id), map[string]any{"completed_time": c.clock.naive(c.clock.serverNow())}, nil)
	return err
}

// DeleteResult deletes a result with its entries, annotations and bitmaps.
func (c *Client) DeleteResult(ctx context.Context, id client.ID) error {
	if err := c.remove(ctx, one(resultsPath, id)); err != nil {
		return fmt.Errorf("cannot delete result %d: %w", id, err)
	}
	return nil
}

type wireEntry struct {
	ID        client.ID
	Result    reference `json:"pluginresult"`
	Name      text
	Threshold float64 `json:"default_threshold"`
	Visible   bool
	Created   text `json:"created_time"`
}

func (c *Client) entryOf(w wireEntry) Entry {
	return Entry{ID: w.ID, Result: client.ID(w.Result), Name: string(w.Name), DefaultThreshold: w.Threshold, Visible: w.Visible,
		Created: c.clock.instant(string(w.Created))}
}

// Entries lists the entries of a result. They have no list of their own that could
// be filtered.
func (c *Client) Entries(ctx context.Context, result client.ID) ([]Entry, error) {
	if err := c.learn(ctx); err != nil {
		return nil, err
	}
	var w struct{ Entries []wireEntry }
	path := with(one(resultsPath, result), "expand", "entries", "omit", "entries.annotation_results,entries.bitmap_results")
	if err := c.get(ctx, path, &w); err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(w.Entries))
	for _, e := range w.Entries {
		entries = append(entries, c.entryOf(e))
	}
	return entries, nil
}

// maxEntryName is how long the name of an entry may be, in characters.
const maxEntryName = 200

// CreateEntry makes an entry, or gives the one of this result that has the same
// name, so that it may be repeated.
func (c *Client) CreateEntry(ctx context.Context, n NewEntry) (Entry, error) {
	n.Name = web.Cut(n.Name, maxEntryName)
	entries, err := c.Entries(ctx, n.Result)
	if err != nil {
		return Entry{}, fmt.Errorf("cannot create an entry of result %d: %w", n.Result, err)
	}
	for _, e := range entries {
		if e.Name == n.Name {
			return e, nil
		}
	}
	var w wireEntry
	_, err = c.write(ctx, http.MethodPost, entriesPath, map[string]any{
		"pluginresult": n.Result, "name": n.Name, "annotation_results": []int{}, "bitmap_results": []int{},
		"default_threshold": n.DefaultThreshold, "visible": !n.Hidden,
	}, &w)
	if err == nil {
		return c.entryOf(w), nil
	}
	if mayBeThere(err) {
		if entries, lookErr := c.Entries(ctx, n.Result); lookErr == nil {
			for _, e := range entries {
				if e.Name == n.Name {
					return e, nil
				}
			}
		}
	}
	return Entry{}, fmt.Errorf("cannot create an entry of result %d: %w", n.Result, err)
}

// mayBeThere tells whether a refused or lost write may all the same have left, or
// found, what it was to make.
func mayBeThere(err error) bool {
	return client.Transient(err) || strings.Contains(err.Error(), "already exists")
}

type wireBitmap struct {
	ID    client.ID
	Entry reference `json:"pluginresultentry"`
	Image reference
	Name  text
}

// CreateResultBitmap uploads a bitmap, or gives the one of this entry that has the
// same name, so that it may be repeated.
func (c *Client) CreateResultBitmap(ctx context.Context, n NewBitmap) (Bitmap, error) {
	if b, ok, err := c.findBitmap(ctx, n); err != nil || ok {
		return b, err
	}
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	fields := [][2]string{{"name", n.Name}, {"image", idText(n.Image)}, {"pluginresultentry", idText(n.Entry)}}
	add := func(name, value string) { fields = append(fields, [2]string{name, value}) }
	number := func(name string, value *float64) {
		if value != nil {
			add(name, strconv.FormatFloat(*value, 'g', -1, 64))
		}
	}
	if n.Channels != 0 {
		add("channels", strconv.Itoa(n.Channels))
	}
	number("scale_min", n.ScaleMin)
	number("scale_max", n.ScaleMax)
	number("default_threshold", n.DefaultThreshold)
	number("default_alpha", n.DefaultAlpha)
	if n.Frame != 0 {
		add("frame", strconv.Itoa(n.Frame))
	}
	if n.Location != nil {
		rect, err := json.Marshal(map[string]float64{"x": n.Location[0], "y": n.Location[1], "w": n.Location[2], "h": n.Location[3]})
		if err != nil {
			return Bitmap{}, fmt.Errorf("cannot write where bitmap %q is: %w", n.Name, err)
		}
		add("location_rect", string(rect))
	}
	if n.Meta != nil {
		add("meta_data", string(n.Meta))
	}
	for _, f := range fields {
		if err := writer.WriteField(f[0], f[1]); err != nil {
			return Bitmap{}, err
		}
	}
	name := n.FileName
	if name == "" {
		name = "bitmap.png"
	}
	part, err := writer.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="bitmap"; filename=%q`, localName(name))},
		"Content-Type":        {"image/png"},
	})
	if err != nil {
		return Bitmap{}, err
	}
	if _, err := part.Write(n.PNG); err != nil {
		return Bitmap{}, err
	}
	if err := writer.Close(); err != nil {
		return Bitmap{}, err
	}
	response, err := c.do(ctx, call{method: http.MethodPost, path: bitmapsPath, body: form.Bytes(), contentType: writer.FormDataContentType()})
	if err != nil {
		if mayBeThere(err) {
			if b, ok, lookErr := c.findBitmap(ctx, n); lookErr == nil && ok {
				return b, nil
			}
		}
		return Bitmap{}, fmt.Errorf("cannot upload bitmap %q: %w", web.OneLine(n.Name), err)
	}
	var w wireBitmap
	if err := c.decode(bitmapsPath, response.Body(), &w); err != nil {
		return Bitmap{}, err
	}
	return bitmapOf(w), nil
}

func bitmapOf(w wireBitmap) Bitmap {
	return Bitmap{ID: w.ID, Entry: client.ID(w.Entry), Image: client.ID(w.Image), Name: string(w.Name)}
}

func (c *Client) findBitmap(ctx context.Context, n NewBitmap) (found Bitmap, ok bool, err error) {
	err = c.each(ctx, with(bitmapsPath, "image", idText(n.Image), "fields", "id,name,image,pluginresultentry"), func(raw []byte) error {
		var w wireBitmap
		if json.Unmarshal(raw, &w) == nil && client.ID(w.Entry) == n.Entry && string(w.Name) == n.Name && client.ID(w.Image) == n.Image {
			found, ok = bitmapOf(w), true
		}
		return nil
	})
	return found, ok, err
}
