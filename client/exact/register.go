package exact

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/textproto"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/web"
)

// CreatePlugin registers a plugin. The server does not keep packages unique, so
// that a plugin with this one is refused here: ErrConflict.
func (c *Client) CreatePlugin(ctx context.Context, n NewPlugin) (Plugin, error) {
	plugins, err := c.Plugins(ctx)
	if err != nil {
		return Plugin{}, err
	}
	for _, p := range plugins {
		if n.Package != "" && p.Package == n.Package {
			return Plugin{}, fmt.Errorf("plugin %d (%s) has the package %s: %w", p.ID, web.OneLine(p.Name), web.OneLine(n.Package), client.ErrConflict)
		}
	}
	if n.Icon == nil {
		var icon bytes.Buffer
		if err := png.Encode(&icon, image.NewGray(image.Rect(0, 0, 32, 32))); err != nil {
			return Plugin{}, err
		}
		n.Icon = icon.Bytes()
	}
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	fields := [][2]string{{"name", web.Cut(n.Name, 200)}, {"author", web.Cut(n.Author, 200)}, {"package", web.Cut(n.Package, 200)}, {"contact", n.Contact}, {"abouturl", n.AboutURL}}
	for _, p := range n.Products {
		fields = append(fields, [2]string{"products", idText(p)})
	}
	for _, f := range fields {
		if err := writer.WriteField(f[0], f[1]); err != nil {
			return Plugin{}, err
		}
	}
	part, err := writer.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="icon"; filename="icon.png"`},
		"Content-Type":        {"image/png"},
	})
	if err != nil {
		return Plugin{}, err
	}
	if _, err := part.Write(n.Icon); err != nil {
		return Plugin{}, err
	}
	if err := writer.Close(); err != nil {
		return Plugin{}, err
	}
	response, err := c.do(ctx, call{method: http.MethodPost, path: pluginsPath, body: form.Bytes(), contentType: writer.FormDataContentType()})
	if err != nil {
		return Plugin{}, fmt.Errorf("cannot register the plugin %q: %w", web.OneLine(n.Name), err)
	}
	var w wirePlugin
	err = c.decode(pluginsPath, response.Body(), &w)
	return w.plugin(), err
}
