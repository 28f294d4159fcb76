package paramform

import "github.com/cytorun/cytorun/internal/app"

// WhatToAsk is the question before launches that differ in nothing.
func WhatToAsk(s *app.Session, all []app.LaunchRequest) string {
	question, _ := whatToAsk(s, all, several{})
	return question
}
