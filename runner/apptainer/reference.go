package apptainer

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/cytorun/cytorun/internal/text"
)

// source is where a container comes from.
type source struct {
	kind sourceKind
	path string         // of a file or an archive, absolute
	ref  name.Reference // in a registry
	// bare is set when a reference to a registry names neither tag nor digest.
	bare bool
}

// ReferenceError tells that a text is no reference to a container.
type ReferenceError struct{ Reference, Why string }

// Error says why.
func (e *ReferenceError) Error() string {
	if e.Reference == "" {
		return e.Why
	}
	return fmt.Sprintf("container %q: %s", text.Line(e.Reference), e.Why)
}

type sourceKind int

const (
	fromFile    sourceKind = iota // a SIF on this box
	fromArchive                   // what `docker save` wrote
	fromImage                     // an OCI or docker image in a registry
	fromORAS                      // a SIF in a registry
)

// parse reads a reference: docker://NAME or NAME, oras://NAME,
// docker-archive:PATH, or the path of a SIF file, an archive or a folder.
func parse(reference string) (source, error) {
	bad := func(why string) (source, error) {
		return source{}, &ReferenceError{reference, why}
	}
	ref := strings.TrimSpace(reference)
	if ref == "" {
		return source{}, &ReferenceError{Why: "the algorithm names no container; give one with --container"}
	}
	if strings.ContainsFunc(ref, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return bad("control characters in its name")
	}
	if path, ok := strings.CutPrefix(ref, "docker-archive:"); ok {
		abs, err := filepath.Abs(strings.TrimPrefix(path, "//"))
		if err != nil {
			return bad(err.Error())
		}
		return source{kind: fromArchive, path: abs}, nil
	}
	if isPath(ref) {
		abs, err := filepath.Abs(strings.TrimPrefix(ref, "file://"))
		if err != nil {
			return bad(err.Error())
		}
		if isArchive(abs) {
			return source{kind: fromArchive, path: abs}, nil
		}
		return source{kind: fromFile, path: abs}, nil
	}
	src := source{kind: fromImage}
	if scheme, rest, ok := strings.Cut(ref, "://"); ok {
		switch scheme {
		case "docker":
		case "oras":
			src.kind = fromORAS
		default:
			return bad("cannot fetch from " + text.Line(scheme) + "://; pull it with apptainer and name the .sif file")
		}
		ref = rest
	}
	opts := []name.Option{name.WeakValidation}
	if plainHTTP(ref) {
		opts = append(opts, name.Insecure)
	}
	r, err := name.ParseReference(ref, opts...)
	if err != nil {
		return bad("not a reference to an image: " + oneLine(err.Error()))
	}
	if t, ok := r.(name.Tag); ok && !strings.HasSuffix(ref, ":"+t.TagStr()) {
		src.bare = true
	}
	src.ref = r
	return src, nil
}

// isPath tells a file from a name in a registry.
func isPath(ref string) bool {
	for _, p := range []string{"/", "./", "../", "file://"} {
		if strings.HasPrefix(ref, p) {
			return true
		}
	}
	return !strings.Contains(ref, "://") && (strings.HasSuffix(ref, ".sif") || strings.HasSuffix(ref, ".simg") || isArchive(ref) || strings.HasSuffix(ref, "/"))
}

// plainHTTP tells whether the registry of ref may be asked without TLS:
// registries on this box, and all when the user said so the way apptainer
// understands.
func plainHTTP(ref string) bool {
	for _, v := range []string{"APPTAINER_NOHTTPS", "SINGULARITY_NOHTTPS"} {
		if s := os.Getenv(v); s != "" && s != "0" && !strings.EqualFold(s, "false") && !strings.EqualFold(s, "no") {
			return true
		}
	}
	host, _, _ := strings.Cut(ref, "/")
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// WithVersion gives a reference to a registry that has neither tag nor digest
// the version of its algorithm as its tag; others stay as they are. Without a
// version it stays bare, and Ensure refuses it with the tags there are.
func WithVersion(reference, version string) string {
	src, err := parse(reference)
	if err != nil || !src.bare || version == "" {
		return reference
	}
	return strings.TrimSpace(reference) + ":" + version
}

// TagError tells that a reference does not say which image of a repository.
type TagError struct {
	Repository string
	Tag        string   // the one that does not exist, empty when none was named
	Tags       []string // what the registry has, newest names last; may be empty
}

// Error lists tags to choose from.
func (e *TagError) Error() string {
	var s string
	if e.Tag == "" {
		s = fmt.Sprintf("container %s names no version", e.Repository)
	} else {
		s = fmt.Sprintf("container %s has no version %q", e.Repository, text.Line(e.Tag))
	}
	if len(e.Tags) == 0 {
		return s
	}
	shown := e.Tags
	more := ""
	if len(shown) > 10 {
		more = fmt.Sprintf(" and %d more", len(shown)-10)
		shown = shown[len(shown)-10:]
	}
	return s + "; the registry has " + text.Line(strings.Join(shown, ", ")) + more
}
