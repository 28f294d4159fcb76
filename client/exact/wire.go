package exact

import (
	"encoding/json"
	"sort"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client"
)

// Paths of the API, which all end in a slash.
const (
	pluginsPath     = "/api/v1/processing/plugins/"
	jobsPath        = "/api/v1/processing/pluginjobs/"
	resultsPath     = "/api/v1/processing/pluginresults/"
	entriesPath     = "/api/v1/processing/pluginresultentrys/" // sic
	shapesPath      = "/api/v1/processing/pluginresultannotations/"
	bitmapsPath     = "/api/v1/processing/pluginresultbitmaps/"
	newJobPath      = "/processing/api/plugin_job/create/"
	imageSetsPath   = "/api/v1/images/image_sets/"
	imagesPath      = "/api/v1/images/images/"
	downloadPath    = "/images/api/image/download/"
	productsPath    = "/api/v1/administration/products/"
	typesPath       = "/api/v1/annotations/annotation_types/"
	typesOfSetPath  = "/annotations/api/annotation/loadannotationtypes/"
	annotationsPath = "/api/v1/annotations/annotations/"
	usersPath       = "/api/v1/users/users/"
	tokensPath      = "/users/api/tokens/"
	timePath        = "/timesync/"
)

// one is the path of an object in a list.
func one(list string, id client.ID) string { return list + strconv.FormatInt(int64(id), 10) + "/" }

func idText(id client.ID) string { return strconv.FormatInt(int64(id), 10) }

func idList(ids []client.ID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = idText(id)
	}
	return strings.Join(words, ",")
}

// reference is the id of another object: a number, null, or the object itself
// where it was expanded.
type reference client.ID

// UnmarshalJSON reads whatever names an object, and anything else as none.
func (r *reference) UnmarshalJSON(raw []byte) error {
	var id int64
	if json.Unmarshal(raw, &id) == nil {
		*r = reference(id)
		return nil
	}
	var object struct{ ID int64 }
	_ = json.Unmarshal(raw, &object)
	*r = reference(object.ID)
	return nil
}

// text is a string or null; anything else is read as its JSON.
type text string

// UnmarshalJSON never fails.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s *string
	if json.Unmarshal(raw, &s) != nil {
		*t = text(raw)
		return nil
	}
	*t = ""
	if s != nil {
		*t = text(*s)
	}
	return nil
}

type wireJob struct {
	ID                     client.ID
	Creator, Plugin, Image reference
	Created                text    `json:"created_time"`
	Updated                text    `json:"updated_time"`
	ETA                    text    `json:"eta_time"`
	Message                text    `json:"error_message"`
	Detail                 text    `json:"error_detail"`
	Worker                 text    `json:"attached_worker"`
	Progress               float64 `json:"processing_complete"`
	Result                 reference
}

func (c *Client) jobOf(raw []byte) (PluginJob, error) {
	var w wireJob
	if err := json.Unmarshal(raw, &w); err != nil {
		return PluginJob{}, err
	}
	return PluginJob{
		ID: w.ID, Creator: client.ID(w.Creator), Plugin: client.ID(w.Plugin), Image: client.ID(w.Image),
		Created: c.clock.instant(string(w.Created)), Updated: c.clock.instant(string(w.Updated)), ETA: c.clock.instant(string(w.ETA)),
		Progress: w.Progress, ErrorMessage: string(w.Message), ErrorDetail: string(w.Detail), Worker: string(w.Worker),
		Result: client.ID(w.Result),
	}, nil
}

// MarshalJSON writes x1, y1, x2, y2 …; a Global annotation is null. The server
// compares whole numbers in its own searches, so they are written as such.
func (v Vector) MarshalJSON() ([]byte, error) {
	if len(v) == 0 {
		return []byte("null"), nil
	}
	b := []byte{'{'}
	for i, x := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"', "xy"[i%2])
		b = strconv.AppendInt(b, int64(i/2+1), 10)
		b = append(b, '"', ':')
		number, err := json.Marshal(x)
		if err != nil {
			return nil, err // NaN or infinite
		}
		b = append(b, number...)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads a vector with its keys in any order; what is no vector,
// which the server stores too, is empty.
func (v *Vector) UnmarshalJSON(raw []byte) error {
	*v = nil
	var object map[string]float64
	if json.Unmarshal(raw, &object) != nil {
		return nil
	}
	type corner struct {
		place int
		value float64
	}
	corners := make([]corner, 0, len(object))
	for key, value := range object {
		if len(key) < 2 || key[0] != 'x' && key[0] != 'y' {
			return nil
		}
		n, err := strconv.Atoi(key[1:])
		if err != nil || n < 1 {
			return nil
		}
		place := 2 * n
		if key[0] == 'y' {
			place++
		}
		corners = append(corners, corner{place, value})
	}
	sort.Slice(corners, func(i, j int) bool { return corners[i].place < corners[j].place })
	for i, corner := range corners {
		if corner.place != i+2 {
			return nil // a corner is missing
		}
	}
	if len(corners)%2 != 0 {
		return nil
	}
	for _, corner := range corners {
		*v = append(*v, corner.value)
	}
	return nil
}
