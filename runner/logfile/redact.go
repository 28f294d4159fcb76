package logfile

import (
	"bytes"
	"io"
)

// mask stands where a secret was.
var mask = []byte("••••")

// minSecret is the length below which a secret is not looked for: shorter ones
// stand in a log by chance and would make it unreadable.
const minSecret = 4

// Redact is a writer to w that replaces each secret by ••••, also one that
// comes in pieces. Close writes what was held back; it does not close w.
func Redact(w io.Writer, secrets []string) io.WriteCloser {
	r := &redactor{w: w}
	for _, s := range secrets {
		if len(s) >= minSecret {
			r.secrets = append(r.secrets, []byte(s))
			r.longest = max(r.longest, len(s))
		}
	}
	return r
}

type redactor struct {
	w       io.Writer
	secrets [][]byte
	longest int
	held    []byte // a secret may begin in it
	out     []byte
	err     error
}

// Write passes p on, all but what may be the start of a secret.
func (r *redactor) Write(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	r.held = append(r.held, p...)
	// A secret that starts before this place is wholly in held.
	r.flush(max(len(r.held)-r.longest+1, 0))
	if r.err != nil {
		return 0, r.err
	}
	return len(p), nil
}

// Close writes the rest.
func (r *redactor) Close() error {
	if r.err == nil {
		r.flush(len(r.held))
	}
	return r.err
}

// flush writes what starts before safe. Where secrets overlap, the one that
// starts first wins, and of two that start together the longer.
func (r *redactor) flush(safe int) {
	if r.longest == 0 {
		safe = len(r.held)
	}
	r.out = r.out[:0]
	next := make([]int, len(r.secrets)) // where each secret stands from at on
	for i := range next {
		next[i] = -1
	}
	at := 0
	for at < safe {
		first, size := safe, 0
		for i, s := range r.secrets {
			if next[i] < at {
				next[i] = len(r.held)
				if j := bytes.Index(r.held[at:], s); j >= 0 {
					next[i] = at + j
				}
			}
			if next[i] < first || next[i] == first && next[i] < safe && len(s) > size {
				first, size = next[i], len(s)
			}
		}
		r.out = append(r.out, r.held[at:first]...)
		at = first
		if size > 0 {
			r.out = append(r.out, mask...)
			at += size
		}
	}
	r.held = append(r.held[:0], r.held[at:]...)
	if len(r.out) > 0 {
		_, r.err = r.w.Write(r.out)
	}
}
