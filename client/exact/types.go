package exact

import (
	"encoding/json"
	"time"

	"github.com/cytorun/cytorun/client"
)

// Plugin is an algorithm as the server knows it: a name and where it is offered.
// What runs is known by Package alone, on the machine of a worker.
type Plugin struct {
	ID       client.ID
	Name     string
	Author   string
	Contact  string // an e-mail address
	Package  string // by custom unique, such as science.imig.midog; may be empty
	AboutURL string
	Products []client.ID // image sets of these products offer it
}

// ImageSet is a folder of images of one team.
type ImageSet struct {
	ID          client.ID
	Name        string
	Description string
	Products    []client.ID
	Team        client.ID
	Creator     client.ID
}

// Product is a set of annotation types, and links plugins to image sets.
type Product struct {
	ID        client.ID
	Name      string
	Team      client.ID
	ImageSets []client.ID
}

// VectorType is the shape that annotations of a type have (contract §6.2).
type VectorType int

// The shapes.
const (
	BoundingBox      VectorType = 1
	Point            VectorType = 2
	Line             VectorType = 3
	MultiLine        VectorType = 4
	Polygon          VectorType = 5
	FixedBoundingBox VectorType = 6
	Global           VectorType = 7
	Segmentation     VectorType = 8
)

// AnnotationType is what an annotation can be.
type AnnotationType struct {
	ID         client.ID  `json:"id"`
	Name       string     `json:"name"`
	VectorType VectorType `json:"vector_type"`
	NodeCount  int        `json:"node_count"` // of MultiLine and Polygon, 0: any
	Color      string     `json:"color_code"` // #RRGGBB
	Closed     bool       `json:"closed"`
	// Width and Height are the size of a box that people draw with one click.
	Width   int       `json:"default_width"`
	Height  int       `json:"default_height"`
	Product client.ID `json:"product"`
}

// Image is one image of an image set.
type Image struct {
	ID   client.ID `json:"id"`
	Name string    `json:"name"` // as it was uploaded; may hold separators
	// Filename is what the server reads, another one where it converted it.
	Filename string  `json:"filename"`
	Width    int     `json:"width"`
	Height   int     `json:"height"`
	Frames   int     `json:"frames"`
	MPP      float64 `json:"mpp"` // µm per pixel, 0 unknown
	// Type is 0 for an uploaded image, GeneratedImage, or 2 for a link.
	Type     int       `json:"image_type"`
	ImageSet client.ID `json:"image_set"`
}

// GeneratedImage is the Image.Type of images that the server made itself; nothing
// is run on them.
const GeneratedImage = 1

// State is what the columns of a plugin job mean together (contract §4).
type State int

// The states, in the order in which they are tested for.
const (
	StateFailed  State = iota // it has an error message
	StateDone                 // exactly 100 %
	StateClaimed              // a worker's name is on it
	StatePartial              // no worker, but neither 0 nor 100 %
	StatePending
)

// PluginJob is one plugin on one image, as the server records it.
type PluginJob struct {
	ID      client.ID
	Creator client.ID // 0 where nobody is known
	Plugin  client.ID
	Image   client.ID
	Created time.Time
	// Updated is when its worker wrote last, by the worker's clock.
	Updated time.Time
	ETA     time.Time
	// Progress is in percent, with nothing that keeps it between 0 and 100.
	Progress     float64
	ErrorMessage string // not empty: it failed
	ErrorDetail  string
	Worker       string // who works on it, empty when free
	// Result is its plugin result, 0 for none. Lists know it only when they are
	// asked for it.
	Result client.ID
	// Raw is the row as the server sent it.
	Raw json.RawMessage
}

// State derives the state, as the server's own pages and worker do.
func (j PluginJob) State() State {
	switch {
	case j.ErrorMessage != "":
		return StateFailed
	case j.Progress == 100:
		return StateDone
	case j.Worker != "":
		return StateClaimed
	case j.Progress != 0:
		return StatePartial
	}
	return StatePending
}

// Claimable tells whether a worker may take the job: EXACT's reference worker
// asks for the same, and that there is no result.
func (j PluginJob) Claimable() bool {
	s := j.State()
	return (s == StatePending || s == StatePartial) && j.Result == 0
}

// JobQuery selects plugin jobs. The zero value means all on the server, also those
// on images that the user may not see.
type JobQuery struct {
	Image   client.ID
	Creator client.ID
	IDs     []client.ID // when not nil, only these
	// WithResult asks for PluginJob.Result too, one more query of the database
	// per job.
	WithResult bool
}

// JobPatch names the columns to write; nil ones are not sent. Beware: the server
// saves whole rows, so that two patches at once can undo each other.
type JobPatch struct {
	Progress     *float64
	Worker       *string // empty frees the job
	ErrorMessage *string // empty clears it
	ErrorDetail  *string
	ETA          *time.Time
}

// Result is what a plugin job found: a layer over the image, with entries.
type Result struct {
	ID           client.ID
	Job          client.ID // 0 where the job was deleted
	Image        client.ID
	Plugin       client.ID
	DefaultAlpha float64
	Created      time.Time
	Completed    time.Time
}

// ResultQuery selects results; a zero field means any.
type ResultQuery struct{ Job, Image, Plugin client.ID }

// NewResult is a result to create. A job has at most one.
type NewResult struct {
	Job, Image, Plugin client.ID
	DefaultAlpha       float64 // 0..1; 0 leaves the server's default of 1
}

// Entry is one part of a result that can be shown and hidden.
type Entry struct {
	ID               client.ID
	Result           client.ID
	Name             string // at most 200 characters
	DefaultThreshold float64
	Visible          bool
	Created          time.Time
}

// NewEntry is an entry to create.
type NewEntry struct {
	Result           client.ID
	Name             string  // cut to 200 characters
	DefaultThreshold float64 // scores below it are hidden at first
	Hidden           bool
}

// Vector is where an annotation is, in pixels of the full image from its top left:
// x1, y1, x2, y2 … Empty means Global.
type Vector []float64

// ResultAnnotation is one object of an entry.
type ResultAnnotation struct {
	ID     client.ID // 0 for one to create
	Entry  client.ID
	Image  client.ID
	Type   client.ID
	Vector Vector
	Score  float64
	// UUID makes writing it again harmless; the server makes one up when empty.
	UUID string
	// Meta is kept as it is, an object or nil.
	Meta json.RawMessage
	Time time.Time
}

// NewBitmap is a picture to lay over an image.
type NewBitmap struct {
	Entry, Image client.ID
	Name         string
	FileName     string // of the picture, such as heat.png
	PNG          []byte
	Channels     int // 1 heat map, 3 colours, 0: the server's default
	// ScaleMin and ScaleMax are what black and white of a heat map mean.
	ScaleMin, ScaleMax *float64
	DefaultThreshold   *float64
	DefaultAlpha       *float64
	Frame              int
	// Location is x, y, width and height in pixels of the image, nil for the
	// server's default of 10000 x 10000 at the origin.
	Location *[4]float64
	Meta     json.RawMessage
}

// Bitmap is a picture on the server.
type Bitmap struct {
	ID           client.ID
	Entry, Image client.ID
	Name         string
}

// Annotation is an ordinary annotation, as people draw them.
type Annotation struct {
	ID          client.ID // 0 for one to write
	Image       client.ID
	Type        client.ID
	Vector      Vector
	UUID        string // must be set to write; see Client.UUID
	Deleted     bool
	Description string
	Meta        json.RawMessage // an object or nil
	User        client.ID       // who drew it
	Verified    bool            // by the user who asks
	Time        time.Time
}

// AnnotationQuery selects ordinary annotations. Deleted ones are left out.
type AnnotationQuery struct {
	Image client.ID // 0: any
	User  client.ID // 0: any
	Since time.Time // zero: any
	UUIDs []string  // nil: any
	// Vectors asks for the vectors too, which are most of the bytes.
	Vectors bool
}

// Token is a personal access token of the user.
type Token struct {
	ID      client.ID
	Name    string
	Prefix  string // what stands before the secret
	Created time.Time
	Expires time.Time // zero: never
	Revoked bool
	Secret  string // the whole token; only when it was just minted
}
