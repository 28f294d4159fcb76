package descriptor

import "fmt"

// Severity says how bad a Finding is.
type Severity int

const (
	// Warning marks what was read in spite of a mistake.
	Warning Severity = iota
	// Error marks what could not be read: the file, or one of its inputs.
	Error
)

// String returns "warning" or "error".
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// Finding is one remark about a descriptor file.
type Finding struct {
	// File is the name given to Parse.
	File string
	// Line and Col count from 1; Col counts characters, a tab is one.
	Line, Col int
	Severity  Severity
	// Message is lower case, without position.
	Message string
}

// String returns the form that editors and compilers share:
// "file:line:col: error: message".
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s", f.File, f.Line, f.Col, f.Severity, f.Message)
}
