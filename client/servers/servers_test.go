package servers

import (
	"errors"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
)

func TestOpenKnowsItsKinds(t *testing.T) {
	for _, kind := range []client.Kind{"", client.Cytomine} {
		if server, err := Open(profile.Profile{Kind: kind, URL: "https://lab.example"}, client.Keys{}, Options{}); err != nil || server == nil {
			t.Errorf("%q: %v", kind, err)
		}
	}
	for _, kind := range []client.Kind{client.Exact, "omero"} {
		if _, err := Open(profile.Profile{Kind: kind, URL: "https://lab.example"}, client.Keys{}, Options{}); !errors.Is(err, client.ErrUnsupported) {
			t.Errorf("%q: %v", kind, err)
		}
		if _, err := Login(t.Context(), profile.Profile{Kind: kind, URL: "https://lab.example"}, client.Keys{}, Options{}); !errors.Is(err, client.ErrUnsupported) {
			t.Errorf("login to %q: %v", kind, err)
		}
	}
}
