package worker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cytorun/cytorun/internal/text"
)

// WithoutContainer stands in place of a digest for the programs of the demo,
// which run without a container.
const WithoutContainer = "process"

// Allow says which algorithms a worker runs: for each package the digests of
// the containers that it may have.
type Allow map[string][]string

// Permits tells whether an algorithm may run in a container.
func (a Allow) Permits(pkg, digest string) bool {
	for _, d := range a[pkg] {
		if d == digest {
			return true
		}
	}
	return false
}

// Example is an allow-list that allows nothing, with what to write into it.
const Example = `# Which algorithms this box runs for others, and in which container exactly.
# Everybody who may create jobs on the server can start what stands here; what
# does not stand here is never claimed. An empty list allows nothing.
#
# One algorithm on each line: the package of the plugin, and the digest of its
# container. A second line with the same package allows another container.
# 'cytorun container pull ALGORITHM' prints the digest; of a file, so does
# 'sha256sum FILE'.
#
# PACKAGE                      DIGEST
#org.example.detector          sha256:0000000000000000000000000000000000000000000000000000000000000000
`

// maxAllow is far more than anybody writes by hand.
const maxAllow = 1 << 20

// ParseAllow reads an allow-list: lines of a package and a digest, and comments
// after #. A line that is wrong makes all of it wrong.
func ParseAllow(r io.Reader) (Allow, error) {
	all := Allow{}
	lines := bufio.NewScanner(io.LimitReader(r, maxAllow))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) != 2 {
			return nil, fmt.Errorf("line %d: write a package and a digest, not %q", n, text.Line(strings.TrimSpace(line)))
		}
		if words[1] != WithoutContainer && !isDigest(words[1]) {
			return nil, fmt.Errorf("line %d: %q is no digest; write sha256: and its 64 digits", n, text.Line(words[1]))
		}
		all[words[0]] = append(all[words[0]], words[1])
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("its lines are too long: %w", err)
	}
	return all, nil
}

func isDigest(s string) bool {
	h, ok := strings.CutPrefix(s, "sha256:")
	return ok && len(h) == 64 && strings.Trim(h, "0123456789abcdef") == ""
}

// ReadAllow reads the allow-list of a file that nobody else may write.
func ReadAllow(path string) (Allow, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the allow-list: %w; 'cytorun worker --example-allow' prints one to begin with", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read the allow-list: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the allow-list %s is no file", path)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("others may write the allow-list %s, and so start what they like here: 'chmod go-w %s'", path, path)
	}
	if info.Size() > maxAllow {
		return nil, errors.New("the allow-list is larger than 1 MiB")
	}
	a, err := ParseAllow(f)
	if err != nil {
		return nil, fmt.Errorf("the allow-list %s: %w", path, err)
	}
	return a, nil
}
