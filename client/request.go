package client

// Request is one request as it would be sent, without any secret.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"` // names in braces are known only then
	Body   any    `json:"body,omitempty"`
	What   string `json:"what"` // what it does, in words
}

// LaunchExplainer tells what a launch sends.
type LaunchExplainer interface {
	// LaunchRequests are the requests of a launch, in their order.
	LaunchRequests(j NewJob) ([]Request, error)
}
