package app

import "regexp"

// keyArgument finds a key where programs print their own arguments: after a
// flag or a name for it, with any of the usual marks between.
var keyArgument = regexp.MustCompile(`(?i)((?:public|private)[_-]?key["']?(?:\s*[=:]\s*|\s+|["',\s]+)["']?)([0-9A-Za-z][0-9A-Za-z_-]{15,})`)

// RedactLine strikes the keys out of a line of a log that is shown or exported.
// The run's own log stays as the program wrote it, readable by its owner alone.
func RedactLine(s string) string { return keyArgument.ReplaceAllString(s, "${1}"+hidden) }
