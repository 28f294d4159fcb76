package apptainer

import (
	"fmt"
	"path"
	"strings"
)

// taken are the places inside a container that a person's own folders may not
// cover, and why. What ends in a slash counts with all below it.
var taken = []struct{ place, why string }{
	{"/proc/", "the kernel shows itself there"},
	{"/sys/", "the kernel shows itself there"},
	{"/dev/", "devices are there"},
	{"/.singularity.d/", "the container starts from there"},
	{HomeInside, "it is HOME and the working folder of the program, a folder of the run"},
	{"/tmp", "it is a folder of the run"},
	{"/var/tmp", "it is a folder of the run"},
	{"/opt", "certificates for the program lie below it; bind a folder below it"},
}

// CheckBind tells why a folder of the box cannot appear at a place inside a
// container. Below HOME, /tmp and /opt it may.
func CheckBind(source, inside string) error {
	for _, p := range []string{source, inside} {
		if strings.ContainsAny(p, ":,\\\"") || strings.ContainsFunc(p, func(r rune) bool { return r < ' ' }) {
			return fmt.Errorf("%q has a colon, comma, quote or backslash in its name, which apptainer cannot take; bind a folder above it", p)
		}
	}
	if !path.IsAbs(inside) || path.Clean(inside) != inside || inside == "/" {
		return fmt.Errorf("%q is no place inside a container; name one such as /app", inside)
	}
	for _, t := range taken {
		place, below := strings.CutSuffix(t.place, "/")
		if inside == place || below && strings.HasPrefix(inside, t.place) || strings.HasPrefix(place, inside+"/") {
			return fmt.Errorf("nothing can be bound over %s: %s", inside, t.why)
		}
	}
	return nil
}
