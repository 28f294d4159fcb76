package client

import (
	"encoding/json"
	"time"

	"github.com/cytorun/cytorun/client/descriptor"
)

// Info is what a server says of itself before anybody logs in.
type Info struct {
	Kind    Kind
	URL     string // where it really answers, without a trailing slash
	Version string // as the server writes it, may be empty
}

// Kind names an API.
type Kind string

// The kinds of server we speak with.
const (
	Cytomine Kind = "cytomine"
	Exact    Kind = "exact"
)

// Keys authenticate a person or a job. They print as nothing, so that a stray
// %v in a log shows no secret.
type Keys struct {
	Public, Private string
}

// String hides the keys.
func (k Keys) String() string { return "(keys)" }

// GoString hides the keys.
func (k Keys) GoString() string { return "(keys)" }

// User is a person, or the user that a server makes for one job.
type User struct {
	ID       ID
	Username string
	FullName string
	Admin    bool
	// Job is set when the keys belong to the user of a job.
	Job ID
}

// Project is where images and algorithms meet (EXACT: an image set).
type Project struct {
	ID       ID
	Name     string
	Ontology ID // 0 where the project has none
	Images   int
	// Annotations counts those of people, JobAnnotations those of jobs.
	Annotations, JobAnnotations int
	ReadOnly, Closed            bool
	Created                     time.Time
}

// Algorithm is something that can be run (Cytomine: Software, EXACT: Plugin).
type Algorithm struct {
	ID      ID
	Name    string
	Version string // may be empty, may carry a leading v
	// Description may hold HTML.
	Description string
	Deprecated  bool
	// Container is the image reference that the server would pull, without a
	// transport prefix when it names a registry; empty where it has none.
	Container string
	// CommandLine is what follows the container in the server's execute
	// command, with the keys of the parameters in it.
	CommandLine string
	Parameters  []Parameter
	// Package is the key by which a descriptor of this box binds the algorithm to
	// a container, where the server stores neither container nor parameters
	// (EXACT: the plugin's package, not unique there); empty elsewhere.
	Package string
	// Writes is what becomes of the annotations that a program leaves in files,
	// as its descriptor says; empty where the program tells the server itself.
	Writes descriptor.Writes
}

// FullName is the name with its version, as the server shows it.
func (a Algorithm) FullName() string {
	if a.Version == "" {
		return a.Name
	}
	return a.Name + " (" + a.Version + ")"
}

// Parameter is one input of an algorithm as the server knows it.
type Parameter struct {
	descriptor.Parameter
	ServerID ID // id of the server's own record, which job parameters refer to
	Index    int
}

// NewAlgorithm is an algorithm to register.
type NewAlgorithm struct {
	Descriptor *descriptor.Descriptor
	Version    string
	// Container is the image reference to store in the pulling command.
	Container string
	Project   ID // linked to it when not 0
}

// Option is one choice of a Domain or ListDomain parameter.
type Option struct {
	ID ID
	// Fields holds the scalar attributes of the server's object as text
	// (numbers as the server wrote them, null as absent), for showing, sorting
	// and filtering.
	Fields Fields
}

// OptionQuery asks for the options of a parameter.
type OptionQuery struct {
	URI     string // as in the descriptor, placeholders not yet replaced
	Project Project
}

// Status is the server's word for the state of a job. The numbers are
// Cytomine's (domain Job); other servers map theirs onto them.
type Status int

// The states of a job on the server.
const (
	NotLaunched   Status = 0
	InQueue       Status = 1
	Running       Status = 2
	Success       Status = 3
	Failed        Status = 4
	Indeterminate Status = 5
	Waiting       Status = 6
	Previewed     Status = 7
	Killed        Status = 8
)

var statusNames = [...]string{"not launched", "queued", "running", "succeeded", "failed", "indeterminate", "waiting", "previewed", "killed"}

// String is the word shown to people.
func (s Status) String() string {
	if s < 0 || int(s) >= len(statusNames) {
		return "unknown"
	}
	return statusNames[s]
}

// Ended tells whether no further change of state is expected. Jobs may hang in
// the other states for ever (contract §7.7), so show their age too.
func (s Status) Ended() bool {
	return s == Success || s == Failed || s == Killed || s == Previewed
}

// Job is the server's record of an execution.
type Job struct {
	ID      ID
	Number  int // counts within (algorithm, project); not unique
	Project ID
	Image   ID // the one image that it is over, 0 where jobs are over projects
	// Algorithm may have vanished from the server; AlgorithmName stays.
	Algorithm     ID
	AlgorithmName string // with version
	Status        Status
	Progress      int // 0..100
	Comment       string
	Created       time.Time
	Updated       time.Time // zero when the server has none
	Username      string    // the person, not the job's user
	UserJob       ID
	DataDeleted   bool
	Favorite      bool
	Parameters    []JobParameter // nil in light lists
	// Raw is the object as the server sent it: an update changes this and
	// sends it back, so that fields unknown to us survive.
	Raw json.RawMessage
}

// JobParameter is one value that was chosen for a job.
type JobParameter struct {
	ID        ID
	Parameter ID // the server's record of the parameter, differs per version
	Name      string
	Label     string
	Type      string
	Value     *string // nil where the server stores null
}

// NewJob describes a job to create.
type NewJob struct {
	Project   ID
	Algorithm ID
	// Image is the one that the job is over, on servers whose jobs have one
	// (EXACT); others ignore it.
	Image      ID
	Comment    string // at most 255 characters, cut by the client
	Status     Status
	Parameters []NewJobParameter
}

// NewJobParameter is one value of a job to create.
type NewJobParameter struct {
	Parameter ID
	Value     string // at most 5000 characters (Cytomine)
}

// JobChange is what may change in a job; it starts as the job is on the server.
type JobChange struct {
	Status   Status
	Progress int
	Comment  string
}

// JobFilter selects jobs.
type JobFilter struct {
	Project        ID   // 0: all that the user may see
	Algorithms     []ID // none: all
	Statuses       []Status
	Usernames      []string
	CreatedAfter   time.Time
	CreatedBefore  time.Time
	WithParameters bool
	Max, Offset    int // Max 0 means a page of 100
}

// JobPage is one page of jobs.
type JobPage struct {
	Jobs   []Job
	Total  int
	Offset int
}

// JobFile is one result file of a job.
type JobFile struct {
	ID   ID
	Key  string
	Name string
	Size int64 // -1 before its upload ended
}

// TermCount counts annotations of one term.
type TermCount struct {
	Term  ID
	Name  string
	Count int
	// Area is the sum in Unit ("px²" or "µm²"), 0 with an empty Unit where the
	// server gives no areas.
	Area float64
	Unit string
}
