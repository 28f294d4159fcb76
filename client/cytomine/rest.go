package cytomine

import (
	"context"
	"io"
)

// call is one request.
type call struct {
	method      string
	path        string // from the root of the site, with its query as on the wire
	body        []byte
	contentType string
	unsigned    bool
	header      [2]string // one more header, where needed

	// stream is a body that is sent as it is read; streamSize is its length, or
	// -1 when unknown.
	stream     io.ReadCloser
	streamSize int64

	signPrefix bool
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }
