package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A box that gets another name would take its own runs for those of another
// host. Only a person knows better: they claim the old name, which is noted
// beside the runs, for all boxes that share the folder.

// hostsFile says which box has a name now: by old name the new one.
const hostsFile = "hosts.json"

type hosts struct {
	Schema int               `json:"schema"`
	Hosts  map[string]string `json:"hosts"`
}

// foreign tells whether a run in a folder belongs to another host than this.
func foreign(folder, host string) bool {
	return host != Host() && nowCalled(filepath.Dir(folder), host) != Host()
}

// nowCalled is the name of the box that had a name; the same one where nobody
// claimed it.
func nowCalled(dir, host string) string {
	var known hosts
	if err := readJSON(filepath.Join(dir, hostsFile), &known); err != nil {
		return host
	}
	for range len(known.Hosts) {
		next, ok := known.Hosts[host]
		if !ok {
			break
		}
		host = next
	}
	return host
}

// silence is how long no run of a host has shown a sign of life before its name
// may be claimed.
const silence = 2 * time.Minute

// Claim notes that this box is the one that was called host: its runs are judged
// here from now on. A host whose runs are looked after just now is another box,
// and an error.
func (s *Store) Claim(host string) error {
	if host == Host() {
		return fmt.Errorf("this box is called %s: its runs are its own already", host)
	}
	runs, err := s.List()
	if err != nil {
		return err
	}
	found := false
	for _, r := range runs {
		if r.Host != host {
			continue
		}
		found = true
		if st, err := os.Stat(filepath.Join(r.Folder, LockFile)); err == nil && !r.State.Ended() && time.Since(st.ModTime()) < silence {
			return fmt.Errorf("cannot claim the runs of %s: it is another box and looks after %s right now; where it only was renamed, wait %s and try again", plain(host), r.ID, silence)
		}
	}
	if !found {
		return fmt.Errorf("no run of a host %q lies in %s; 'cytorun analyses' names the host of each", plain(host), s.dir)
	}
	path := filepath.Join(s.dir, hostsFile)
	known := hosts{Schema: Schema}
	if err := readJSON(path, &known); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if known.Hosts == nil {
		known.Hosts = map[string]string{}
	}
	delete(known.Hosts, Host()) // it may have had this name before
	known.Hosts[host] = Host()
	if err := WriteJSON(path, known); err != nil {
		return fmt.Errorf("cannot claim the runs of %s: %w", strings.TrimSpace(plain(host)), err)
	}
	s.mu.Lock()
	s.final = nil // they were read as those of another host
	s.mu.Unlock()
	return nil
}
