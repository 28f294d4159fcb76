package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/text"
)

// guarded runs the program and turns a panic into one line and exit code 70.
// The stack goes into a file for whoever mends it.
func guarded(run func() int) (code int) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		code = exitFault
		what := fmt.Sprintf("cytorun %s\n%v\n\n%s", version(), cause, debug.Stack())
		where, err := saveFault(what)
		if err != nil {
			where = "nowhere: " + err.Error()
		}
		fmt.Fprintf(os.Stderr, "cytorun: failed by its own fault: %s; runs go on without it, the details are in %s\n",
			text.Line(fmt.Sprint(cause)), text.Line(where))
	}()
	return run()
}

// saveFault keeps the details where only their owner can read them.
func saveFault(what string) (path string, err error) {
	paths, err := profile.DefaultPaths()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(paths.State, 0o700); err != nil {
		return "", err
	}
	path = filepath.Join(paths.State, "crash-"+time.Now().UTC().Format("20060102-150405")+".log")
	return path, os.WriteFile(path, []byte(what), 0o600)
}
