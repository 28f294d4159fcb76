package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Version is what ping and status report. It is the community edition whose
// behaviour this server has.
const Version = "3.0.4"

// Options changes how a Server behaves. The zero value is usable.
type Options struct {
	// ServerURL is the address put into answers (ping, crop and thumbnail URLs,
	// the redirect of an unsigned request). Empty: http:// and the host the
	// request names, which suits a server on loopback.
	ServerURL string
	// AdminName is the user name of the administrator made in a new folder.
	// Empty: "admin".
	AdminName string
	// Log gets what went wrong inside. Nil: nothing is logged.
	Log *slog.Logger
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Server is a Cytomine-compatible server over one data folder. It is safe for use
// by many goroutines.
type Server struct {
	dir   string
	opts  Options
	store *store
	lock  *flock.Flock
	mux   *http.ServeMux
	open  map[string]bool // paths that need no signature
	cache *imageCache
	// tileSecret makes the paths of tiles unguessable.
	tileSecret string
}

// ErrInUse says that another process serves the data folder.
var ErrInUse = errors.New("another process serves this data folder")

// Open opens the data folder dir, or makes it (mode 0700) with its database and
// an administrator. A folder is served by one process at a time: a second Open
// fails with ErrInUse.
func Open(dir string, opts Options) (*Server, error) {
	if opts.AdminName == "" {
		opts.AdminName = "admin"
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot find data folder %s: %w", dir, err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "images"), filepath.Join(dir, "files")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("cannot make data folder: %w", err)
		}
	}
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("cannot lock data folder %s: %w", dir, err)
	}
	if !held {
		return nil, fmt.Errorf("cannot open data folder %s: %w", dir, ErrInUse)
	}
	s := &Server{dir: dir, opts: opts, lock: lock, cache: newImageCache()}
	file := filepath.Join(dir, "cytomine.db")
	if s.store, err = openStore(context.Background(), file, opts.Now); err != nil {
		_ = lock.Unlock()
		return nil, err
	}
	if err := s.begin(); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("cannot prepare data folder %s: %w", dir, err)
	}
	s.routes()
	return s, nil
}

// Close ends all database work. Requests must be over.
func (s *Server) Close() error {
	err := s.store.close()
	return errors.Join(err, s.lock.Unlock())
}

// Handler returns the whole API.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// extensions a path may end with; they say the format of the answer.
var extensions = map[string]bool{"json": true, "png": true, "jpg": true, "jpeg": true, "tif": true, "tiff": true}

// serve puts a request into the form the routes know: no extension, no doubled
// slashes. The signature is computed over what really came.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, w: w, r: r}
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			c.fail(crash("panic: %v", p))
		}
	}()
	w.Header().Set("Cache-Control", "no-store")
	path := r.URL.Path
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if dot := strings.LastIndexByte(path, '.'); dot > strings.LastIndexByte(path, '/') && extensions[strings.ToLower(path[dot+1:])] {
		path, c.format = path[:dot], strings.ToLower(path[dot+1:])
	}
	u := *r.URL
	u.Path, u.RawPath = path, ""
	inner := r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	inner.URL = &u
	c.r = inner
	s.mux.ServeHTTP(w, inner)
}

// callKey carries the call through the mux.
type callKey struct{}

// handle registers a route. Patterns are those of http.ServeMux, without extension.
func (s *Server) handle(pattern string, h handler) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		c := r.Context().Value(callKey{}).(*call)
		c.r = r
		if err := s.admit(c); err != nil {
			c.fail(err)
			return
		}
		if c.user == nil && !s.open[pattern] {
			s.turnAway(c)
			return
		}
		if err := h(c); err != nil {
			c.fail(err)
		}
	})
}

// admit finds out who calls. On the paths that need nobody a bad key is no error.
func (s *Server) admit(c *call) (err error) {
	c.user, err = s.authenticate(c.r)
	if err != nil && !strings.HasPrefix(c.r.URL.Path, "/api/") {
		return nil
	}
	return err
}

// turnAway answers a caller who did not sign, or signed wrongly: a redirect to
// the start page, or a bare 401 for those who say they want no page.
func (s *Server) turnAway(c *call) {
	if parseBoolean(c.r.Header.Get("nopage")) {
		c.fail(&apiError{status: http.StatusUnauthorized, text: "Unauthorized", body: plain("Unauthorized")})
		return
	}
	c.w.Header().Set("Location", c.serverURL()+"/")
	c.bytes(http.StatusFound, "text/html;charset=UTF-8", nil)
}
