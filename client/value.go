package client

// Origin tells where the value of a parameter came from.
type Origin string

// The origins of a value, as the form and the receipts show them.
const (
	FromDefault  Origin = "default"
	FromUser     Origin = "you"
	FromAnalysis Origin = "analysis"
	FromPreset   Origin = "preset"
	FromLast     Origin = "last used"
	FromFile     Origin = "file"
	FromJob      Origin = "job" // of a job that the server already had
)

// Value is what was chosen for one parameter of an algorithm. Text is
// canonical (see descriptor.Value). A default that somebody cleared is a Value
// with an empty Text: it never reaches the program, but a comparison must know.
type Value struct {
	Parameter string `json:"parameter"` // the parameter's ID in the descriptor
	Text      string `json:"text"`
	Origin    Origin `json:"origin"`
	// Labels are the names of the chosen options, in the order of the ids in
	// Text, for Domain and ListDomain.
	Labels []string `json:"labels,omitempty"`
}
