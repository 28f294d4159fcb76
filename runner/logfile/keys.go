package logfile

import (
	"regexp"
	"strings"
	"sync"
)

// keyArgument finds a key where programs print their own arguments: after a
// flag or a name for it, with any of the usual marks between. It is compiled at
// the first use: every start of the program would pay for it.
var keyArgument = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)((?:public|private)[_-]?key["']?(?:\s*[=:]\s*|\s+|["',\s]+)["']?)([0-9A-Za-z][0-9A-Za-z_-]{15,})`)
})

// token finds a personal access token of EXACT by its form.
var token = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(pat_[0-9A-Za-z_-]+\.)[0-9A-Za-z_-]{16,}`)
})

// RedactKeys strikes what looks like a key or a token out of a line that a program
// wrote, where they themselves are not known. Redact takes out those that are.
func RedactKeys(line string) string {
	if strings.Contains(line, "pat_") {
		line = token().ReplaceAllString(line, "${1}"+string(mask))
	}
	if !namesKey(line) {
		return line
	}
	return keyArgument().ReplaceAllString(line, "${1}"+string(mask))
}

// namesKey tells whether the word key stands in a line, in any case: without it
// the pattern, which takes 20 s for a gigabyte, need not look.
func namesKey(line string) bool {
	for {
		i := strings.IndexAny(line, "kK")
		if i < 0 || len(line)-i < 3 {
			return false
		}
		if line[i+1]|' ' == 'e' && line[i+2]|' ' == 'y' {
			return true
		}
		line = line[i+1:]
	}
}
