package exacttest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is what goes wrong with one request.
type Fault struct {
	// Delay before the request is carried out.
	Delay time.Duration
	// Drop ends the connection before anything was done.
	Drop bool
	// Fail answers a 500 with HTML, and nothing is done.
	Fail bool
	// Lose carries the request out and then ends the connection without an answer.
	Lose bool
	// Cut ends the connection after so many bytes of the body; the header
	// announces the whole of it.
	Cut int64
	// After runs when the request was carried out and its answer not yet
	// written: a list read before it does not have what it adds.
	After func()
}

type hook struct{ at func(Request) Fault }

// Fault asks at for every request from now on; the first hook with something
// to do decides. The function returned takes it away.
func (s *Server) Fault(at func(Request) Fault) (remove func()) {
	h := &hook{at}
	s.log.Lock()
	s.faults = append(s.faults, h)
	s.log.Unlock()
	return func() {
		s.log.Lock()
		defer s.log.Unlock()
		for i, o := range s.faults {
			if o == h {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
				return
			}
		}
	}
}

// FaultNext lets one fault befall the next n requests of a method whose path
// begins so; an empty method or path is any.
func (s *Server) FaultNext(n int, method, path string, f Fault) {
	var left = make(chan struct{}, n)
	for range n {
		left <- struct{}{}
	}
	s.Fault(func(r Request) Fault {
		if (method != "" && r.Method != method) || !strings.HasPrefix(r.Path, path) {
			return Fault{}
		}
		select {
		case <-left:
			return f
		default:
			return Fault{}
		}
	})
}

func (f Fault) none() bool {
	return f.Delay == 0 && !f.Drop && !f.Fail && !f.Lose && f.Cut == 0 && f.After == nil
}

func (s *Server) fault(r Request) Fault {
	s.log.Lock()
	hooks := append([]*hook(nil), s.faults...)
	s.log.Unlock()
	for _, h := range hooks {
		if f := h.at(r); !f.none() {
			return f
		}
	}
	return Fault{}
}

// before delays; it says whether the connection is to end here.
func (f Fault) before(r *http.Request) bool {
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			return true
		}
	}
	return f.Drop
}

func (f Fault) refusal() (answer, bool) {
	if !f.Fail {
		return answer{}, false
	}
	return debug500("075", "JSONDecodeError"), true
}

// cut writes what may be written of the answer, with the length of all of it.
func (f Fault) cut(w http.ResponseWriter, a answer) {
	if a.stream == nil {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body[:min(f.Cut, int64(len(a.body)))])
	} else {
		w.WriteHeader(a.status)
		a.stream(&short{ResponseWriter: w, left: f.Cut})
	}
	if fl, ok := w.(http.Flusher); ok {
		fl.Flush()
	}
}

// short takes so many bytes and no more.
type short struct {
	http.ResponseWriter
	left int64
}

func (s *short) Write(b []byte) (int, error) {
	if s.left <= 0 {
		return 0, http.ErrContentLength
	}
	n, err := s.ResponseWriter.Write(b[:min(int64(len(b)), s.left)])
	s.left -= int64(n)
	if err == nil && n < len(b) {
		err = http.ErrContentLength
	}
	return n, err
}

// debug500 is Django's own page of an error.
func debug500(recording, what string) answer {
	return answer{recording: recording, status: 500, kind: html, vary: htmlVary,
		body: []byte("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n  <meta http-equiv=\"content-type\" content=\"text/html; charset=utf-8\">\n  <title>" + what + "</title>\n</head>\n<body><h1>" + what + "</h1></body>\n</html>\n")}
}

// crash is an exception that the server does not catch; in production its
// answer is plain text without any header of Django's.
func (c *call) crash(recording, what string) answer {
	if c.s.opt.Debug {
		return debug500(recording, what)
	}
	return answer{recording: "291", status: 500, kind: "text/plain", vary: noVary,
		body: []byte("A server error occurred.  Please contact the administrator.")}
}
