package command

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// containerRun is how Cytomine's router begins an executeCommand: container
// type, "run", and the image file it pulled.
var containerRun = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*\S+\s+(?:run|exec)\s+(?:-\S+\s+)*\S+\.(?:simg|sif|img)(?:\s+|$)`)
})

// Tail returns the program's part of a Cytomine executeCommand, the words
// after "singularity run x.simg". Other commands are returned whole.
func Tail(executeCommand string) string {
	return strings.TrimSpace(executeCommand[len(containerRun().FindString(executeCommand)):])
}

// ImageReference returns the image that a Cytomine pullingCommand pulls: what
// follows docker://, or the whole command where it is nothing but a
// reference. It is empty where the image exists only on the server's own
// machine (docker-daemon:, docker-archive:) or nothing is named.
func ImageReference(pullingCommand string) string {
	words := strings.FieldsFunc(pullingCommand, func(r rune) bool { return unicode.IsSpace(r) || r == '"' || r == '\'' })
	for _, word := range words {
		if _, image, ok := strings.Cut(word, "docker://"); ok {
			return image
		}
	}
	if len(words) != 1 || strings.HasPrefix(words[0], "docker-") {
		return ""
	}
	return words[0]
}
