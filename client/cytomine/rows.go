package cytomine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// defaultPageSize is how many rows are asked for at once. Some lists of the server
// ignore it and send everything; rows are used as they arrive, so that costs no
// memory.
const defaultPageSize = 2000

// each calls row for every row of a list, page by page. A page that breaks off
// is asked for again; a row that came before, by its id, is not given twice, and
// rows without an id are left out. row must not keep the bytes.
func (c *Client) each(ctx context.Context, path string, row func(raw []byte) error) error {
	if strings.Contains(path, "?max=") || strings.Contains(path, "&max=") {
		_, err := c.rows(ctx, path, row)
		return err
	}
	seen := map[number]bool{}
	for offset, failures := 0, 0; ; {
		count, fresh := 0, 0
		size, err := c.rows(ctx, web.With(path, "max", fmt.Sprint(c.pageSize), "offset", fmt.Sprint(offset)), func(raw []byte) error {
			count++
			id := rowID(raw)
			if id == 0 || seen[id] {
				return nil
			}
			seen[id] = true
			fresh++
			return row(raw)
		})
		var broken *web.BrokenError
		if errors.As(err, &broken) && failures < web.Retries && !errors.Is(err, context.DeadlineExceeded) {
			failures++
			if !web.Sleep(ctx, c.opts.RetryWait<<failures) {
				return c.failed(ctx, ctx.Err())
			}
			continue
		}
		if err != nil {
			return err
		}
		offset += count
		switch {
		case fresh == 0, count > c.pageSize: // nothing new, or the server sent everything
			return nil
		case size >= 0 && offset >= size, size < 0 && count < c.pageSize:
			return nil
		}
	}
}

// rows asks for one page and calls row for each of its rows. size is what the
// list says to have in total, -1 when it does not say.
func (c *Client) rows(ctx context.Context, path string, row func(raw []byte) error) (size int, err error) {
	body, err := c.open(ctx, path)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	buffered := bufio.NewReaderSize(body, 64<<10)
	if start, _ := buffered.Peek(16); bytes.HasPrefix(bytes.TrimSpace(start), []byte("<")) {
		return 0, c.unreadable(path, start, nil)
	}
	size, err = readRows(buffered, row)
	var refused rowError
	switch {
	case err == nil:
		return size, nil
	case errors.As(err, &refused):
		return 0, refused.error
	case errors.Is(err, client.ErrUnreachable):
		return 0, &web.BrokenError{Err: err}
	case errors.Is(err, context.Canceled):
		return 0, err
	}
	return 0, &web.BrokenError{Err: c.unreadable(path, nil, err)}
}

// rowError is an error of the caller, not of the list.
type rowError struct{ error }

// readRows decodes a list: an object with the rows in "collection" and their
// total number in "size", or a bare array.
func readRows(r io.Reader, row func(raw []byte) error) (size int, err error) {
	decoder := json.NewDecoder(r)
	start, err := decoder.Token()
	if err != nil {
		return 0, web.AtEnd(err)
	}
	if start == json.Delim('[') {
		return -1, readArray(decoder, row)
	}
	if start != json.Delim('{') {
		return 0, errors.New("neither a list nor an object")
	}
	size, found := -1, false
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return 0, web.AtEnd(err)
		}
		switch name {
		case "collection":
			open, err := decoder.Token()
			if err != nil {
				return 0, web.AtEnd(err)
			}
			if found = open == json.Delim('['); !found {
				return 0, errors.New("its collection is no list")
			}
			if err := readArray(decoder, row); err != nil {
				return 0, err
			}
		case "size":
			total := number(-1)
			if err := decoder.Decode(&total); err != nil {
				return 0, web.AtEnd(err)
			}
			size = int(total)
		default:
			var other json.RawMessage
			if err := decoder.Decode(&other); err != nil {
				return 0, web.AtEnd(err)
			}
		}
	}
	if _, err := decoder.Token(); err != nil {
		return 0, web.AtEnd(err)
	}
	if !found {
		return 0, errors.New("no collection in it")
	}
	return size, nil
}

// readArray decodes the rows up to the closing bracket.
func readArray(decoder *json.Decoder, row func(raw []byte) error) error {
	var raw json.RawMessage // its memory serves every row
	for decoder.More() {
		if err := decoder.Decode(&raw); err != nil {
			return web.AtEnd(err)
		}
		if err := row(raw); err != nil {
			return rowError{err}
		}
	}
	_, err := decoder.Token()
	return web.AtEnd(err)
}
