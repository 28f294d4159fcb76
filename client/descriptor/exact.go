package descriptor

import "strings"

// Writes says what becomes of the annotations that a file program leaves in its
// output folder. A file program knows no server: it gets the path of an image
// and the path of a folder.
type Writes string

// What a file program's annotations become on an EXACT server.
const (
	// WritesResult stores them as a plugin result, shown there as an overlay with
	// a threshold: what EXACT's own workers do.
	WritesResult Writes = "result"
	// WritesAnnotations stores them as ordinary annotations, which people edit
	// and review.
	WritesAnnotations Writes = "annotations"
	// WritesBoth stores them as both.
	WritesBoth Writes = "both"
)

// Result tells whether a plugin result is written.
func (w Writes) Result() bool { return w == WritesResult || w == WritesBoth }

// Annotations tells whether ordinary annotations are written.
func (w Writes) Annotations() bool { return w == WritesAnnotations || w == WritesBoth }

// The inputs that are filled for a run over one image of an EXACT server, by
// their ids as normalName folds them.
const (
	exactHost     = "EXACTHOST"
	exactToken    = "EXACTTOKEN"
	exactImageID  = "EXACTIMAGEID"
	exactImage    = "EXACTIMAGE"
	exactJobID    = "EXACTJOBID"
	exactImageSet = "EXACTIMAGESETID"
	exactOutput   = "EXACTOUTPUT"
)

// ExactInputs are the ids of those inputs as descriptors should write them.
var ExactInputs = []string{"exact_host", "exact_token", "exact_image_id", "exact_image", "exact_job_id", "exact_imageset_id", "exact_output"}

// ExactInput is the id out of ExactInputs that the parameter means, or nothing.
func (p Parameter) ExactInput() string {
	n := normalName(p.ID)
	for _, id := range ExactInputs {
		if strings.ReplaceAll(strings.ToUpper(id), "_", "") == n {
			return id
		}
	}
	return ""
}

// IsFileProgram tells whether a program with these parameters works on files: it
// asks for the image as a file, and what it writes is brought to the server by
// us.
func IsFileProgram(parameters []Parameter) bool {
	for _, p := range parameters {
		if normalName(p.ID) == exactImage {
			return true
		}
	}
	return false
}
