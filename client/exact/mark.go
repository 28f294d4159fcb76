package exact

import (
	"encoding/json"
	"maps"

	"github.com/cytorun/cytorun/client"
)

// Mark is what we write into the meta data of annotations, below the key
// "cytorun": which job and which run they are from. By it the ordinary annotations
// of a job are found again; what a plugin result holds is the job's anyway.
type Mark struct {
	Job client.ID `json:"job"`
	Run string    `json:"run,omitempty"` // id of the run on the box that wrote it
}

// markKey is where in the meta data a mark is.
const markKey = "cytorun"

// Meta is the meta data of an annotation: extra, which may be nil, with a mark.
func Meta(m Mark, extra map[string]any) (json.RawMessage, error) {
	all := maps.Clone(extra)
	if all == nil {
		all = map[string]any{}
	}
	all[markKey] = m
	return json.Marshal(all)
}

// MarkOf reads the mark of an annotation; ok is false where it has none.
func MarkOf(meta json.RawMessage) (m Mark, ok bool) {
	var w struct {
		Cytorun *Mark `json:"cytorun"`
	}
	if len(meta) == 0 || json.Unmarshal(meta, &w) != nil || w.Cytorun == nil {
		return Mark{}, false
	}
	return *w.Cytorun, true
}
