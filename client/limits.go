package client

import "context"

// Limits are what a server knows of the values that a parameter takes; see
// descriptor.Parameter.
type Limits struct {
	Choices          []string
	Minimum, Maximum *string
	Integer          bool
}

// LimitStore keeps limits of parameters, where descriptors do not.
type LimitStore interface {
	// Limits reads what there is, by the server's ids of the parameters.
	Limits(ctx context.Context, parameters []Parameter) (map[ID]Limits, error)
}

// DescriptorStore keeps the descriptors that algorithms were registered from.
type DescriptorStore interface {
	// AlgorithmDescriptor reads the descriptor file of an algorithm as it is.
	// ErrNotFound tells that the server has none.
	AlgorithmDescriptor(ctx context.Context, algorithm ID) ([]byte, error)
}
