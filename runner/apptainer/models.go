package apptainer

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/runner"
)

// Models is what the program of one algorithm downloaded in its runs and keeps
// on this box; see Weights.
type Models struct {
	Server    string // host
	Algorithm string
	Path      string
	Size      int64     // bytes
	LastUsed  time.Time // when a run that may use them began
}

// ModelsFolder is where below root the models of an algorithm are kept. Servers
// have a folder each: what one of them runs must not write into what another one
// loads.
func ModelsFolder(root, server, algorithm string) string {
	return filepath.Join(root, folderName(host(server)), folderName(algorithm))
}

// host is that of an address, or the address where it has none.
func host(server string) string {
	if u, err := url.Parse(server); err == nil && u.Host != "" {
		return u.Host
	}
	return server
}

// folderName makes the name of a folder of any text: what is not plain is
// written as %XX, which url.PathUnescape reads, and what is too long ends in its
// checksum.
func folderName(s string) string {
	const most = 200
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' && i > 0
		if plain {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + hex.EncodeToString([]byte{c}))
		}
	}
	if b.Len() <= most && b.Len() > 0 {
		return b.String()
	}
	sum := sha256.Sum256([]byte(s))
	return strings.TrimRight(b.String()[:min(b.Len(), most)], "%") + "-" + hex.EncodeToString(sum[:8])
}

// ListModels gives what is kept below root, the last used first.
func ListModels(root string) []Models {
	folders, _ := filepath.Glob(filepath.Join(root, "*", "*")) // the pattern is good
	var all []Models
	for _, path := range folders {
		st, err := os.Lstat(path)
		if err != nil || !st.IsDir() {
			continue
		}
		all = append(all, Models{
			Server: nameOf(filepath.Dir(path)), Algorithm: nameOf(path), Path: path,
			Size: folderSize(path), LastUsed: st.ModTime(),
		})
	}
	slices.SortFunc(all, func(a, b Models) int { return cmp.Or(b.LastUsed.Compare(a.LastUsed), cmp.Compare(a.Path, b.Path)) })
	return all
}

// nameOf reads what folderName wrote.
func nameOf(path string) string {
	base := filepath.Base(path)
	if s, err := url.PathUnescape(base); err == nil {
		return s
	}
	return base
}

// RemoveModels removes what is kept below root for one algorithm.
func RemoveModels(root string, m Models) error {
	if filepath.Dir(filepath.Dir(m.Path)) != filepath.Clean(root) {
		return errors.New(m.Path + " does not lie below " + root + "; it is not deleted")
	}
	if err := runner.RemoveBelow(filepath.Dir(m.Path), filepath.Base(m.Path)); err != nil {
		return err
	}
	_ = os.Remove(filepath.Dir(m.Path)) // unless models of other algorithms are there
	return nil
}
