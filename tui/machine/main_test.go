package machine

import (
	"testing"

	"github.com/cytorun/cytorun/tui/tuitest"
)

func TestMain(m *testing.M) { tuitest.Main(m) }
