package exacttest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"strings"
)

// input is the body of a request: a JSON object, a JSON list, or a form.
type input struct {
	form  bool
	list  []map[string]any // a JSON list, where items is set
	items bool
	value map[string]any    // json.Number, string, bool, nil, []any, map[string]any; strings of a form
	many  map[string][]any  // all values of a form's field
	files map[string]upload // of a multipart form
}

type upload struct {
	name string
	data []byte
}

// input reads the body; the answer is that of one that cannot be read.
func (c *call) input() (input, *answer) {
	in := input{value: map[string]any{}, many: map[string][]any{}, files: map[string]upload{}}
	kind, params, _ := mime.ParseMediaType(c.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		return c.jsonInput(in)
	case "application/x-www-form-urlencoded":
		in.form = true
		if err := c.ParseForm(); err == nil {
			for k, v := range c.PostForm {
				in.value[k] = v[len(v)-1]
				for _, one := range v {
					in.many[k] = append(in.many[k], one)
				}
			}
		}
	case "multipart/form-data":
		in.form = true
		if params["boundary"] == "" || c.ParseMultipartForm(64<<20) != nil {
			return in, &answer{recording: "271", status: 400, allow: c.allow(), body: detailed("Multipart form parse error - Invalid boundary")}
		}
		for k, v := range c.MultipartForm.Value {
			in.value[k] = v[len(v)-1]
			for _, one := range v {
				in.many[k] = append(in.many[k], one)
			}
		}
		for k, v := range c.MultipartForm.File {
			if f, err := v[0].Open(); err == nil {
				data, _ := io.ReadAll(f)
				_ = f.Close()
				in.files[k] = upload{name: v[0].Filename, data: data}
			}
		}
	}
	return in, nil
}

func (c *call) allow() string {
	if strings.HasPrefix(c.path, "/api/v1/") && strings.Count(c.path, "/") > 5 {
		return onRow
	}
	return onList
}

func (c *call) jsonInput(in input) (input, *answer) {
	raw, err := io.ReadAll(c.Body)
	broken := func(recording, why string) (input, *answer) {
		return in, &answer{recording: recording, status: 400, allow: c.allow(), body: detailed("JSON parse error - " + why)}
	}
	if err != nil {
		return broken("271", "Expecting value: line 1 column 1 (char 0)")
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return in, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var any any
	if err := d.Decode(&any); err != nil {
		if bytes.Contains(raw, []byte("NaN")) {
			return broken("321", "Out of range float values are not JSON compliant: 'NaN'")
		}
		return broken("271", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)")
	}
	switch v := any.(type) {
	case map[string]interface{}:
		in.value = v
	case []interface{}:
		in.items = true
		for _, one := range v {
			m, _ := one.(map[string]interface{})
			in.list = append(in.list, m)
		}
	}
	return in, nil
}
