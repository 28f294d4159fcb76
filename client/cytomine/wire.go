package cytomine

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
)

// The types below read a field however a server writes it. None of them ever
// fails: a field of an unexpected shape reads as if it were absent.

// number is an integer: 5, "5", 5.0, null; an object counts as its id.
type number int64

func (n *number) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '{' {
		var object struct {
			ID number `json:"id"`
		}
		if json.Unmarshal(raw, &object) == nil {
			*n = object.ID
		}
		return nil
	}
	s := strings.TrimSpace(string(scalar(raw)))
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		*n = number(i)
	} else if f, err := strconv.ParseFloat(s, 64); err == nil && f >= -(1<<62) && f <= 1<<62 {
		*n = number(f)
	}
	return nil
}

func (n number) id() client.ID { return client.ID(n) }

// float is a number with a fraction; known is false where there is none.
type float struct {
	value float64
	known bool
}

func (f *float) UnmarshalJSON(raw []byte) error {
	if v, err := strconv.ParseFloat(strings.TrimSpace(string(scalar(raw))), 64); err == nil {
		*f = float{v, true}
	}
	return nil
}

// truth is a Boolean: true, "true", 1, null.
type truth bool

func (t *truth) UnmarshalJSON(raw []byte) error {
	s := strings.ToLower(strings.TrimSpace(string(scalar(raw))))
	*t = s == "true" || s == "1"
	return nil
}

// text is a string: numbers and Booleans as they are written, null as "".
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	*t = text(scalar(raw))
	return nil
}

// value is a text that may be null.
type value struct{ text *string }

func (v *value) UnmarshalJSON(raw []byte) error {
	if string(bytes.TrimSpace(raw)) != "null" {
		s := string(scalar(raw))
		v.text = &s
	}
	return nil
}

// moment is a time in milliseconds since 1970, as text or number.
type moment struct{ number }

// time gives the zero time where the server has none.
func (m moment) time() time.Time {
	if m.number == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m.number)).UTC()
}

// list is an array; anything else reads as nil.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(raw []byte) error {
	var items []T
	if json.Unmarshal(raw, &items) == nil {
		*l = items
	}
	return nil
}

// scalar gives the text of a JSON string, number or Boolean, and nothing for
// null; arrays and objects stay as they are.
func scalar(raw []byte) []byte {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '"' {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return []byte(s)
		}
	}
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// unwrap gives the object of an answer to a write: {"job":{…},"message":…}, or
// the object itself from the calls that answer without an envelope.
func unwrap(body []byte, name string) json.RawMessage {
	var envelope map[string]json.RawMessage
	if json.Unmarshal(body, &envelope) == nil {
		if inner := bytes.TrimSpace(envelope[name]); len(inner) > 0 && inner[0] == '{' {
			return inner
		}
	}
	return body
}
