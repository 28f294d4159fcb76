package exact

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// defaultPageSize is how many rows are asked for at once: the server has no
// maximum, and each page costs it a count of all rows.
const defaultPageSize = 20_000

// rows of annotations are heavier, and there may be millions.
const annotationPage = 5_000

// each calls row for every row of a list, page by page. A page that breaks off is
// asked for again; a row that came before, by its id, is not given twice. Rows may
// slip onto a page that was read already, because others were deleted or because
// the list has no order: where the count changed, or more rows are said to be there
// than came, all of it is read again at once. row must not
// keep the bytes.
func (c *Client) each(ctx context.Context, path string, row func(raw []byte) error) error {
	return c.eachPage(ctx, path, c.pageSize, row)
}

func (c *Client) eachPage(ctx context.Context, path string, size int, row func(raw []byte) error) error {
	seen := map[client.ID]bool{}
	shifted := false
	for offset, failures, rounds, last := 0, 0, 0, -1; ; {
		read, odd := 0, 0
		count, err := c.page(ctx, with(path, "limit", fmt.Sprint(size), "offset", fmt.Sprint(offset)), func(raw []byte) error {
			read++
			var w struct{ ID client.ID }
			if json.Unmarshal(raw, &w) != nil || w.ID == 0 {
				odd++
				return nil
			}
			if seen[w.ID] {
				return nil
			}
			seen[w.ID] = true
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
		offset += read
		count -= odd // what has no id is no row
		shifted = shifted || last >= 0 && count != last
		last = count
		if read > 0 && offset < count {
			continue
		}
		if len(seen) >= count && !shifted || rounds == web.Retries {
			return nil
		}
		shifted, last = false, -1
		offset, rounds, size = 0, rounds+1, count+count/4+100
	}
}

// page asks for one page and calls row for each of its rows. count is how many
// the whole list has.
func (c *Client) page(ctx context.Context, path string, row func(raw []byte) error) (count int, err error) {
	_, body, err := c.open(ctx, call{method: "GET", path: path})
	if err != nil {
		return 0, err
	}
	defer body.Close()
	count, err = readPage(bufio.NewReaderSize(body, 64<<10), row)
	var refused rowError
	switch {
	case err == nil:
		return count, nil
	case errors.As(err, &refused):
		return 0, refused.error
	case errors.Is(err, client.ErrUnreachable):
		return 0, &web.BrokenError{Err: err}
	case errors.Is(err, context.Canceled):
		return 0, err
	}
	return 0, &web.BrokenError{Err: c.unreadable(path, err)}
}

// rowError is an error of the caller, not of the list.
type rowError struct{ error }

// readPage decodes {"count": n, "next": …, "previous": …, "results": […]}.
func readPage(r io.Reader, row func(raw []byte) error) (count int, err error) {
	decoder := json.NewDecoder(r)
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return 0, web.AtEnd(cmpError(err, "no page of a list"))
	}
	count, found := -1, false
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return 0, web.AtEnd(err)
		}
		switch name {
		case "results":
			open, err := decoder.Token()
			if err != nil || open != json.Delim('[') {
				return 0, web.AtEnd(cmpError(err, "its results are no list"))
			}
			found = true
			var raw json.RawMessage // its memory serves every row
			for decoder.More() {
				if err := decoder.Decode(&raw); err != nil {
					return 0, web.AtEnd(err)
				}
				if err := row(raw); err != nil {
					return 0, rowError{err}
				}
			}
			if _, err := decoder.Token(); err != nil {
				return 0, web.AtEnd(err)
			}
		case "count":
			if err := decoder.Decode(&count); err != nil {
				return 0, web.AtEnd(err)
			}
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
	if !found || count < 0 {
		return 0, errors.New("no page of a list")
	}
	return count, nil
}

func cmpError(err error, otherwise string) error {
	if err != nil {
		return err
	}
	return errors.New(otherwise)
}
