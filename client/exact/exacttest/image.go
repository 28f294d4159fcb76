package exacttest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
)

const onDownload = "OPTIONS, GET"

// download sends an image as it is, always as application/zip; a mirax slide
// is the one that is really zipped. Range is ignored.
func (c *call) download(which string) answer {
	if a, ok := c.login(onDownload); !ok {
		return a
	}
	id, err := strconv.Atoi(which)
	if err != nil {
		return c.lost()
	}
	c.s.mu.RLock()
	t := c.s.st["images"]
	r := t.byID[id]
	var name string
	mayRead := false
	if r != nil {
		name, _ = t.get(r, "filename").(string)
		mayRead = c.visible(t, r, c.teams())
	}
	im := c.s.files[id]
	c.s.mu.RUnlock()
	switch {
	case r == nil:
		return answer{recording: "196", status: 404, allow: onDownload, body: detailed("No Image matches the given query.")}
	case !mayRead:
		return answer{recording: "197", status: 403, allow: onDownload, body: []byte(`{"message":"you do not have the permission to access this imageset"}`)}
	}
	a := answer{recording: "193", status: 200, kind: "application/zip", allow: onDownload}
	size := im.Size
	content := im.Content
	switch ext := strings.ToLower(path.Ext(name)); {
	case im.Zip != nil || ext == ".mrxs" || ext == ".vsi":
		if im.Zip == nil {
			im.Zip = map[string]string{name: string(content)}
		}
		content, size = zipped(im.Zip), 0
		a.header = map[string]string{"Content-Disposition": `attachment; filename="` + name + `.zip"`}
		a.stream = func(w http.ResponseWriter) {
			_, _ = w.Write(content)
			if f, ok := w.(http.Flusher); ok {
				f.Flush() // chunked: a zip is built as it goes, without a length
			}
		}
		return a
	default:
		a.header = map[string]string{"Content-Disposition": "attachment; filename=" + name}
	}
	if size == 0 {
		size = int64(len(content))
	}
	a.header["Content-Length"] = strconv.FormatInt(size, 10)
	a.stream = func(w http.ResponseWriter) { flow(w, content, size) }
	return a
}

// flow writes content again and again until size; nothing is zeros.
func flow(w http.ResponseWriter, content []byte, size int64) {
	block := content
	if len(block) == 0 {
		block = make([]byte, 64<<10)
	}
	for left := size; left > 0; {
		n, err := w.Write(block[:min(int64(len(block)), left)])
		left -= int64(n)
		if err != nil {
			return
		}
	}
}

func zipped(files map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		if w, err := z.Create(name); err == nil {
			_, _ = w.Write([]byte(content))
		}
	}
	_ = z.Close()
	return b.Bytes()
}

// upload is POST of files to the images: 200 and what is new.
func (c *call) upload() answer {
	in, bad := c.input()
	if bad != nil {
		return *bad
	}
	set, _ := wholeOf(in.value["image_set"])
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.st["image_sets"].byID[set] == nil {
		return answer{recording: "202", status: 404, allow: onList, body: detailed("No ImageSet matches the given query.")}
	}
	t := c.s.st["images"]
	var fresh []*row
	for _, up := range in.files {
		if c.s.has(set, up) {
			continue
		}
		w, h := 100, 75
		fresh = append(fresh, t.byID[c.s.addImage(set, Image{Name: up.name, Content: up.data, Width: w, Height: h})])
	}
	b := fmt.Appendf(nil, `{"count":%d,"next":null,"previous":null,"results":[`, len(fresh))
	for i, r := range fresh {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.s.st.write(b, t, r, view{})
	}
	recording := "200"
	if len(fresh) == 0 {
		recording = "201"
	}
	return answer{recording: recording, status: 200, allow: onList, body: append(b, ']', '}')}
}

func (s *Server) has(set int, up upload) bool {
	for _, id := range s.st.pointing("images", "image_set", set) {
		if f := s.files[id]; f.Name == up.name && bytes.Equal(f.Content, up.data) {
			return true
		}
	}
	return false
}

// slide is the geometry of an image of one level.
func (c *call) slide(which string) answer {
	id, _ := strconv.Atoi(which)
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	t := c.s.st["images"]
	r := t.byID[id]
	if r == nil || !c.visible(t, r, c.teams()) {
		return answer{recording: "184", status: 404, allow: "GET, HEAD, OPTIONS", body: detailed("No Image matches the given query.")}
	}
	return answer{recording: "185", status: 200, allow: "GET, HEAD, OPTIONS", body: fmt.Appendf(nil,
		`{"id":"%d","level_dimensions":[[%d,%d]],"level_downsamples":[1.0],"level_tiles":[[1,1]],"levels":1}`,
		id, t.get(r, "width"), t.get(r, "height"))}
}

// mediaFile is an icon or a bitmap, which needs no login.
func (c *call) mediaFile() answer {
	c.s.mu.RLock()
	data, ok := c.s.media[c.path]
	c.s.mu.RUnlock()
	if !ok {
		return c.lost()
	}
	return answer{recording: "248", status: 200, kind: "image/png", vary: htmlVary, body: data,
		header: map[string]string{"Content-Disposition": `inline; filename="` + path.Base(c.path) + `"`}}
}
