package app

import (
	"strings"
	"testing"
)

func TestKeysAreStruckOutOfLogs(t *testing.T) {
	const key = "0b3d9c8e-1f2a-4b5c-8d7e-9f0a1b2c3d4e"
	for _, line := range []string{
		"--cytomine_private_key " + key,
		"['--cytomine_private_key', '" + key + "']",
		"--publicKey=" + key,
		`{"privateKey": "` + key + `"}`,
		"Namespace(cytomine_private_key='" + key + "', x=1)",
		"PRIVATE_KEY: " + key,
	} {
		if got := RedactLine(line); strings.Contains(got, key) || !strings.Contains(got, hidden) {
			t.Errorf("%q shows %q", line, got)
		}
	}
	const secret = "moOQ7NTyfVGYXaSjBCKUwT__cKq5u0XDyobN018mC0s"
	for _, line := range []string{"--exact_token pat_FOXc4sVi-woE." + secret, "Authorization: Bearer pat_a." + secret + ", private key"} {
		if got := RedactLine(line); strings.Contains(got, secret[:20]) || !strings.Contains(got, hidden) {
			t.Errorf("%q shows %q", line, got)
		}
	}
	for _, line := range []string{"pat_ience.", "a pat_tern.txt", "the private key is missing", "epoch 3/5 loss=0.2", "publickey=short"} {
		if got := RedactLine(line); got != line {
			t.Errorf("%q became %q", line, got)
		}
	}
}
