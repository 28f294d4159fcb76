package logfile

import (
	"regexp"
	"sync"
)

// keyArgument finds a key where programs print their own arguments: after a
// flag or a name for it, with any of the usual marks between. It is compiled at
// the first use: every start of the program would pay for it.
var keyArgument = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)((?:public|private)[_-]?key["']?(?:\s*[=:]\s*|\s+|["',\s]+)["']?)([0-9A-Za-z][0-9A-Za-z_-]{15,})`)
})

// RedactKeys strikes what looks like a key out of a line that a program wrote,
// where the keys themselves are not known. Redact takes out those that are.
func RedactKeys(line string) string { return keyArgument().ReplaceAllString(line, "${1}"+string(mask)) }
