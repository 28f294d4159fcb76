package exact

import (
	"encoding/json"

	"github.com/cytorun/cytorun/client"
)

// Mark is what we write into the meta data of annotations, below the key
// "cytorun": which job and which run they are from. By it the ordinary annotations
// of a job are found again; what a plugin result holds is the job's anyway.
type Mark struct {
	Job client.ID `json:"job"`
	Run string    `json:"run,omitempty"` // id of the run on the box that wrote it
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
