package tuitest

import (
	"os"
	"testing"

	"github.com/cytorun/cytorun/internal/demo/program"
	"github.com/cytorun/cytorun/runner/keep"
	"github.com/cytorun/cytorun/runner/supervisor"
)

// Main is the TestMain of packages whose tests start runs or cancel them: the
// test binary is then its own keep and supervisor, as the program is.
func Main(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "keep":
			os.Exit(keep.Main(os.Args[2:]))
		case "supervise":
			os.Exit(supervisor.Main(os.Args[2:]))
		case "demo-program":
			os.Exit(program.Main(os.Args[2:]))
		}
	}
	os.Exit(m.Run())
}
