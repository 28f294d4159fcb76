package exacttest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// Options of a Server; the zero value is a production server (DEBUG=0) in
// Europe/Berlin with a true clock.
type Options struct {
	// Zone of the server's naive times; nil is Europe/Berlin.
	Zone *time.Location
	// Skew moves the server's clock against the real one.
	Skew time.Duration
	// Race is how long a PATCH lies between reading its row and writing the
	// whole of it back, and a job's creation between looking and inserting.
	Race time.Duration
	// Debug answers errors as DEBUG=1 does: with HTML.
	Debug bool
	// Prefix is a path before everything, as of a site below a subdirectory.
	Prefix string
	// ProxyHost, if set, is the host in next and media links, as behind a
	// proxy that passes Host without its port.
	ProxyHost string
	// Unordered lists images in another order at each request, as the server
	// may: it gives images no order.
	Unordered bool
}

// Server is a running fake; all of its methods may be called at any time.
type Server struct {
	// URL is the address of the site, Options.Prefix included, without a final slash.
	URL string

	http *httptest.Server
	opt  Options
	zone *time.Location

	clock   sync.Mutex
	now     func() time.Time
	skew    time.Duration
	stamped time.Time

	mu     sync.RWMutex // store, users, tokens, files
	st     store
	users  map[int]*account
	tokens []*token
	files  map[int]Image     // image id -> what its download holds
	media  map[string][]byte // path -> an icon or bitmap
	turn   int               // how many image lists were answered

	log    sync.Mutex
	seen   []Request
	faults []*hook
}

// New starts a server; Close ends it.
func New(opt Options) *Server {
	s := &Server{opt: opt, zone: opt.Zone, now: time.Now, skew: opt.Skew, st: newStore(),
		users: map[int]*account{}, files: map[int]Image{}, media: map[string][]byte{}}
	if s.zone == nil {
		s.zone = berlin()
	}
	s.opt.Prefix = "/" + strings.Trim(opt.Prefix, "/")
	if s.opt.Prefix == "/" {
		s.opt.Prefix = ""
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL + s.opt.Prefix
	return s
}

// Start is New for a test, which closes it when it ends.
func Start(t interface{ Cleanup(func()) }, opt Options) *Server {
	s := New(opt)
	t.Cleanup(s.Close)
	return s
}

// Close ends the server and every connection to it.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}

func berlin() *time.Location {
	if z, err := time.LoadLocation("Europe/Berlin"); err == nil {
		return z
	}
	return time.FixedZone("CET", 3600)
}

// Request is one call that the server saw.
type Request struct {
	Method, Path, Query, User string
	At                        time.Time
	// Recording is the number of the recorded exchange that the answer copies.
	Recording string
	Status    int
	body      []byte // of the answer, where it is JSON
	header    http.Header
}

// Requests are the calls so far, in the order of their answers.
func (s *Server) Requests() []Request {
	s.log.Lock()
	defer s.log.Unlock()
	return append([]Request(nil), s.seen...)
}

// Forget empties the list of calls.
func (s *Server) Forget() {
	s.log.Lock()
	s.seen = nil
	s.log.Unlock()
}

// call is one request while it is answered.
type call struct {
	*http.Request
	s    *Server
	path string // after the prefix
	user *account
	// cookie: Basic was used, so that a session is set with every answer.
	cookie bool
	media  string
}

// answer is what goes out; recording is the exchange it copies.
type answer struct {
	recording string
	status    int
	kind      string // Content-Type; empty is JSON
	allow     string
	vary      string // empty is the API's
	header    map[string]string
	body      []byte
	stream    func(http.ResponseWriter) // instead of body
}

const (
	apiVary   = "Accept, Accept-Language, Cookie"
	htmlVary  = "Accept-Language, Cookie"
	slashVary = "Cookie"
	noVary    = "-" // outside of Django's middleware: none of its headers
	noBody    = "-" // of Content-Type: a 204 has none
	html      = "text/html; charset=utf-8"
	onList    = "GET, POST, HEAD, OPTIONS"
	onRow     = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := &call{Request: r, s: s, path: strings.TrimPrefix(r.URL.Path, s.opt.Prefix)}
	host := r.Host
	if s.opt.ProxyHost != "" {
		host = s.opt.ProxyHost
	}
	c.media = "http://" + host + s.opt.Prefix
	req := Request{Method: r.Method, Path: c.path, Query: r.URL.RawQuery}
	f := s.fault(req)
	if f.before(r) {
		panic(http.ErrAbortHandler)
	}
	a, failed := f.refusal()
	if !failed {
		a = c.answer()
	}
	if f.After != nil {
		f.After()
	}
	req.At, req.Recording, req.Status = time.Now(), a.recording, a.status
	if c.user != nil {
		req.User = c.user.name
	}
	if a.kind == "" {
		req.body = a.body
	}
	c.write(w, a, f, &req)
}

func (c *call) write(w http.ResponseWriter, a answer, f Fault, req *Request) {
	h := w.Header()
	if a.kind == "" {
		a.kind = "application/json"
	}
	if a.vary == "" {
		a.vary = apiVary
	}
	if a.kind != noBody {
		h.Set("Content-Type", a.kind)
	}
	h.Set("Date", c.s.Now().UTC().Format(http.TimeFormat))
	if a.vary != noVary {
		h.Set("Vary", a.vary)
		h.Set("X-Content-Type-Options", "nosniff")
	}
	if a.vary == apiVary || a.vary == htmlVary {
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Language", "en")
	}
	if a.allow != "" {
		h.Set("Allow", a.allow)
	}
	if c.cookie {
		h.Set("Set-Cookie", "sessionid="+random(32)+"; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax")
	}
	for k, v := range a.header {
		h.Set(k, v)
	}
	req.header = h.Clone()
	c.s.log.Lock()
	c.s.seen = append(c.s.seen, *req)
	c.s.log.Unlock()
	if f.Lose {
		panic(http.ErrAbortHandler)
	}
	if f.Cut > 0 {
		f.cut(w, a)
		panic(http.ErrAbortHandler)
	}
	if a.stream != nil {
		w.WriteHeader(a.status)
		if c.Method != http.MethodHead {
			a.stream(w)
		}
		return
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}
