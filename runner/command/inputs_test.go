package command

import (
	"testing"

	"github.com/cytorun/cytorun/client/descriptor"
)

func TestInputsTakeServerValueThenChoiceThenDefault(t *testing.T) {
	five := "5"
	server := ServerValues{Host: "https://x", PublicKey: "pub", PrivateKey: "priv", ProjectID: "42", AlgorithmID: "7"}
	chosen := map[string]string{"a": "1", "cleared": "", "cytomine_host": "https://evil"}
	tests := []struct {
		param descriptor.Parameter
		want  string // "none" for no value
	}{
		{descriptor.Parameter{ID: "cytomine_host", SetByServer: true}, "https://x"},
		{descriptor.Parameter{ID: "PUBLIC_KEY"}, "pub"},
		{descriptor.Parameter{ID: "cytominePrivateKey"}, "priv"},
		{descriptor.Parameter{ID: "cytomine_id_project"}, "42"},
		{descriptor.Parameter{ID: "cytomine_id_software"}, "7"},
		{descriptor.Parameter{ID: "a", Default: &five}, "1"},
		{descriptor.Parameter{ID: "cleared", Optional: true, Default: &five}, "none"},
		{descriptor.Parameter{ID: "b", Default: &five}, "5"},
		{descriptor.Parameter{ID: "threshold", SetByServer: true, Default: &five}, "5"},
		{descriptor.Parameter{ID: "c"}, "none"},
	}
	for _, tt := range tests {
		got := "none"
		if in := Inputs([]descriptor.Parameter{tt.param}, chosen, server); in[0].Value != nil {
			got = *in[0].Value
		}
		if got != tt.want {
			t.Errorf("%s gets %q, want %q", tt.param.ID, got, tt.want)
		}
	}
}
