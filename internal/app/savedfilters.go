package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"github.com/gofrs/flock"

	"github.com/cytorun/cytorun/internal/app/filter"
	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
)

// filtersFile is filters.json: filters by name, for all servers.
type filtersFile struct {
	Schema  int               `json:"schema"`
	Filters map[string]string `json:"filters"`
}

// builtinFilters are there from the start; a saved one of the same name wins.
var builtinFilters = map[string]string{
	"mine":  "by:me",
	"live":  "is:live",
	"night": "by:me ended:16h",
	"bad":   "by:me state:failed,lost since:7d",
}

var filterName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
})

func (e *Env) filtersPath() string { return filepath.Join(e.Paths.Config, "filters.json") }

func (e *Env) readFilters() (filtersFile, error) {
	f := filtersFile{Schema: runner.Schema}
	data, err := os.ReadFile(e.filtersPath())
	if err == nil {
		err = json.Unmarshal(data, &f)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("cannot read the saved filters: %w; mend or remove %s", err, e.filtersPath())
	}
	if f.Filters == nil {
		f.Filters = map[string]string{}
	}
	return f, err
}

// Filters are the saved filters by name, those that are there from the start
// among them. A file that cannot be read leaves only these.
func (e *Env) Filters() (map[string]string, error) {
	all := maps.Clone(builtinFilters)
	f, err := e.readFilters()
	maps.Copy(all, f.Filters)
	return all, err
}

// FilterNames are the names of filters, sorted.
func FilterNames(filters map[string]string) []string { return slices.Sorted(maps.Keys(filters)) }

// SaveFilter keeps a filter under a name; an empty one takes the name away.
func (e *Env) SaveFilter(name, query string) error {
	if !filterName().MatchString(name) {
		return fmt.Errorf("%q cannot name a filter: use small letters, digits, - and _", text.Line(name))
	}
	if err := os.MkdirAll(e.Paths.Config, 0o700); err != nil {
		return fmt.Errorf("cannot save the filter: %w", err)
	}
	lock := flock.New(e.filtersPath()+".lock", flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("cannot save the filter: %w", err)
	}
	defer lock.Close()
	f, err := e.readFilters()
	switch {
	case err != nil:
		return err
	case f.Schema > runner.Schema:
		return fmt.Errorf("cannot change %s: %w", e.filtersPath(), runner.ErrNewerSchema)
	}
	if query == "" {
		delete(f.Filters, name)
	} else {
		saved, _ := e.Filters()
		saved[name] = query
		if _, err := (filter.Language{Now: e.Now(), Saved: saved}).Parse("@" + name); err != nil {
			return fmt.Errorf("cannot save the filter %s: %w", name, err)
		}
		f.Filters[name] = query
	}
	return runner.WriteJSON(e.filtersPath(), f)
}
