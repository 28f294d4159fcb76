package cytomine

import (
	"path"
	"regexp"
	"strings"
	"sync"
)

var (
	// "singularity run s_app-v1.2.simg python run.py [HOST]"
	executeForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?s)^\s*(?:\S*/)?(?:singularity|apptainer|docker)\s+(?:run|exec)\s+(?:.*?\s)??(\S+\.(?:simg|sif|img))(?:\s+(.*))?$`)
	})
	// "singularity pull --name s_app-v1.2.simg docker://user/s_app:v1.2"
	transport = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\b([a-z][a-z0-9+.-]*)://(\S+)`)
	})
)

// commandLineOf gives what follows the container in an execute command. A
// command of an unknown form is given as it is.
func commandLineOf(executeCommand string) string {
	if parts := executeForm().FindStringSubmatch(executeCommand); parts != nil {
		return strings.TrimSpace(parts[2])
	}
	return strings.TrimSpace(executeCommand)
}

// containerOf gives the image reference in a pulling command: without
// "docker://", with any other transport, or the whole when it is one word (as
// some forks store it). Empty where there is none.
func containerOf(pullingCommand string) string {
	if parts := transport().FindStringSubmatch(pullingCommand); parts != nil {
		reference := strings.Trim(parts[2], `"'`)
		if parts[1] == "docker" {
			return reference
		}
		return parts[1] + "://" + reference
	}
	if fields := strings.Fields(pullingCommand); len(fields) == 1 {
		return fields[0]
	}
	return ""
}

// commandsFor makes the two commands that a server stores, as its own router
// makes them from a descriptor.
func commandsFor(container, version, commandLine string) (execute, pull string) {
	reference := container
	if !transport().MatchString(reference) {
		reference = "docker://" + reference
	}
	name, _, _ := strings.Cut(path.Base(container), "@")
	name, tag, _ := strings.Cut(name, ":")
	if version == "" {
		version = tag
	}
	if version != "" {
		name += "-" + version
	}
	file := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n'\"/\\", r) {
			return '_'
		}
		return r
	}, name) + ".simg"
	execute = strings.TrimSpace("singularity run " + file + " " + strings.TrimSpace(commandLine))
	return execute, "singularity pull --name " + file + " " + reference
}
