// Package source finds out which code lies in a folder: its git commit, what
// differs from that, and a checksum of it all.
//
// Rules: nothing in the folder is changed; what takes too long or is too much is
// left out and said; a folder that git does not know is no error.
package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cytorun/cytorun/runner"
)

// How much is looked at: a launch should not wait for a data set that lies
// beside the code.
const (
	patience = 5 * time.Second
	mostData = 64 << 20 // bytes that are read for the checksum
	mostFile = 20_000
)

// What is not known, in the words of runner.Source.Problem.
const (
	NoRepository = "not a git repository"
	NoGit        = "git is not installed, so its commit is not known"
)

// Look gives the state of a file or folder now. path is absolute.
func Look(ctx context.Context, path string) runner.Source {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	s := runner.Source{Path: path, Time: time.Now().UTC()}
	dir, only := path, "."
	if st, err := os.Stat(path); err != nil {
		s.Problem = "cannot be read: " + oneLine(err.Error())
		return s
	} else if !st.IsDir() {
		dir, only = filepath.Dir(path), filepath.Base(path)
	}
	commit, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "HEAD")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		s.Problem = NoGit
	case err != nil:
		s.Problem = problem(ctx, dir, err)
	default:
		s.Commit = strings.TrimSpace(commit)
		branch, _ := git(ctx, dir, "symbolic-ref", "--quiet", "--short", "HEAD")
		s.Branch = strings.TrimSpace(branch)
	}
	tracked := err == nil || s.Problem == noCommit
	if tracked {
		status, err := git(ctx, dir, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", only)
		if err != nil {
			s.Problem = "what differs from the commit is not known: " + oneLine(err.Error())
		}
		s.Dirty = strings.Count(status, "\x00")
	}
	s.Files = checksum(ctx, dir, only, tracked)
	return s
}

// noCommit is what a new repository has.
const noCommit = "a git repository without a commit"

// problem says why there is no commit.
func problem(ctx context.Context, dir string, err error) string {
	if ctx.Err() != nil {
		return "git did not answer in time, so its commit is not known"
	}
	if _, inside := git(ctx, dir, "rev-parse", "--git-dir"); inside == nil {
		return noCommit
	} else if said := inside.Error(); !strings.Contains(said, "not a git repository") {
		return "its commit is not known: " + oneLine(said)
	}
	return NoRepository
}

// git asks git about dir, without anything that a repository's configuration
// could make it start, and without writing.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	base := []string{"-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false", "-c", "core.quotePath=false", "-C", dir}
	cmd := exec.CommandContext(ctx, "git", append(base, args...)...)
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C", "GIT_TERMINAL_PROMPT=0")
	cmd.WaitDelay = time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil && said.Len() > 0 && !errors.Is(err, exec.ErrNotFound) {
		err = fmt.Errorf("%w: %s", err, said.String())
	}
	return string(out), err
}

// checksum is that of all files that git does not ignore, or of all files where
// git does not know the folder; empty where that is too much.
func checksum(ctx context.Context, dir, only string, tracked bool) string {
	var names []string
	if tracked {
		out, err := git(ctx, dir, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", only)
		if err != nil {
			return ""
		}
		for n := range strings.SplitSeq(out, "\x00") {
			if n != "" {
				names = append(names, n)
			}
		}
	} else {
		err := filepath.WalkDir(filepath.Join(dir, only), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case ctx.Err() != nil:
				return ctx.Err()
			case d.IsDir() && skipped[d.Name()]:
				return filepath.SkipDir
			case d.IsDir():
				return nil
			}
			name, err := filepath.Rel(dir, path)
			if names = append(names, name); len(names) > mostFile {
				return errors.New("too many files")
			}
			return err
		})
		if err != nil {
			return ""
		}
	}
	slices.Sort(names)
	if len(names) > mostFile {
		return ""
	}
	return sum(ctx, dir, names)
}

// skipped are folders that programs make beside code while it runs.
var skipped = map[string]bool{"__pycache__": true, ".git": true, ".ipynb_checkpoints": true, ".mypy_cache": true, ".pytest_cache": true}

func sum(ctx context.Context, dir string, names []string) string {
	h := sha256.New()
	left := int64(mostData)
	for _, name := range names {
		path := filepath.Join(dir, name)
		st, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and still known to git
		}
		if err != nil || ctx.Err() != nil {
			return ""
		}
		switch {
		case st.Mode()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(path)
			fmt.Fprintf(h, "%q link %q\n", name, to)
		case st.Mode().IsRegular():
			if left -= st.Size(); left < 0 {
				return ""
			}
			one, err := fileSum(path)
			if err != nil {
				return ""
			}
			fmt.Fprintf(h, "%q %v %s\n", name, st.Mode()&0o100 != 0, one)
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, mostData)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
