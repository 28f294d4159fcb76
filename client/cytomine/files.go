package cytomine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// logName is the file name by which the server and its web interface find the
// log of a job.
const logName = "log.out"

// AttachLog stores a log as log.out of the job and then deletes the ones that
// were there before, so that there is always one.
func (c *Client) AttachLog(ctx context.Context, job client.ID, log io.Reader) error {
	before, err := c.logFiles(ctx, job)
	if err != nil {
		return err
	}
	if err := c.upload(ctx, job, log); err != nil {
		return err
	}
	for _, id := range before {
		_, err := c.do(ctx, call{method: http.MethodDelete, path: fmt.Sprintf("/api/attachedfile/%d.json", id), contentType: "application/json"})
		if err != nil && !errors.Is(err, client.ErrNotFound) {
			return fmt.Errorf("the log is on the server, an older one cannot be removed: %w", err)
		}
	}
	return nil
}

// logFiles lists the logs of a job, the newest last.
func (c *Client) logFiles(ctx context.Context, job client.ID) (ids []client.ID, err error) {
	err = c.each(ctx, fmt.Sprintf("/api/domain/%s/%d/attachedfile.json", jobClass, job), func(raw []byte) error {
		var w struct {
			ID       number
			Filename text
		}
		if json.Unmarshal(raw, &w) != nil || w.Filename != logName {
			return nil
		}
		ids = append(ids, w.ID.id())
		return nil
	})
	for i, id := range ids { // ids grow with time, lists come in any order
		if last := len(ids) - 1; id > ids[last] {
			ids[i], ids[last] = ids[last], id
		}
	}
	return ids, err
}

// upload sends a log as the part "files[]" of a form, as it is read.
func (c *Client) upload(ctx context.Context, job client.ID, log io.Reader) error {
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	_, err := writer.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="files[]"; filename="` + logName + `"`},
		"Content-Type":        {"text/plain; charset=utf-8"},
	})
	if err != nil {
		return fmt.Errorf("cannot write the upload of the log: %w", err)
	}
	head := bytes.Clone(form.Bytes())
	form.Reset()
	if err := writer.Close(); err != nil {
		return fmt.Errorf("cannot write the upload of the log: %w", err)
	}
	size := length(log)
	if size >= 0 {
		log = io.LimitReader(log, size) // a log may grow while it is sent
		size += int64(len(head) + form.Len())
	}
	_, err = c.do(ctx, call{
		method:      http.MethodPost,
		path:        web.With("/api/attachedfile.json", "domainClassName", jobClass, "domainIdent", fmt.Sprint(job), "filename", logName),
		contentType: writer.FormDataContentType(),
		stream:      io.NopCloser(io.MultiReader(bytes.NewReader(head), log, &form)),
		streamSize:  size,
	})
	return err
}

// length is how many bytes a reader still has, -1 when it cannot be known.
func length(r io.Reader) int64 {
	switch r := r.(type) {
	case interface{ Len() int }:
		return int64(r.Len())
	case *os.File:
		info, err := r.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return -1
		}
		at, err := r.Seek(0, io.SeekCurrent)
		if err != nil {
			return -1
		}
		return max(0, info.Size()-at)
	}
	return -1
}

// JobLog opens the log of a job. It is read from the stored file, because the
// server's own call for logs packs the whole text into one JSON string.
func (c *Client) JobLog(ctx context.Context, job client.ID) (io.ReadCloser, error) {
	logs, err := c.logFiles(ctx, job)
	if err != nil {
		return nil, err
	}
	if len(logs) == 0 {
		return nil, client.NotFound("job %d has no log on the server", job)
	}
	return c.open(ctx, fmt.Sprintf("/api/attachedfile/%d/download", logs[len(logs)-1]))
}

// JobFiles lists the result files of a job.
func (c *Client) JobFiles(ctx context.Context, job client.ID) ([]client.JobFile, error) {
	files := []client.JobFile{}
	err := c.each(ctx, fmt.Sprintf("/api/job/%d/jobdata.json", job), func(raw []byte) error {
		var w struct {
			ID            number
			Key, Filename text
			Size          float
		}
		if json.Unmarshal(raw, &w) != nil {
			return nil
		}
		file := client.JobFile{ID: w.ID.id(), Key: string(w.Key), Name: string(w.Filename), Size: -1}
		if w.Size.known {
			file.Size = int64(w.Size.value)
		}
		files = append(files, file)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return files, nil
}

// OpenJobFile opens a result file.
func (c *Client) OpenJobFile(ctx context.Context, id client.ID) (io.ReadCloser, error) {
	return c.open(ctx, fmt.Sprintf("/api/jobdata/%d/download", id))
}
