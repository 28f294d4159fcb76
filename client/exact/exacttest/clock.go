package exacttest

import (
	"fmt"
	"strings"
	"time"
)

// naive writes a time as Django does without time zones: six digits of a
// second, or none where they are zero.
func naive(t time.Time) string {
	if t.Nanosecond()/1000 == 0 {
		return t.Format("2006-01-02T15:04:05")
	}
	return t.Format("2006-01-02T15:04:05.000000")
}

// Now is the server's own idea of the time: Options.Now moved by the skew.
func (s *Server) Now() time.Time {
	s.clock.Lock()
	defer s.clock.Unlock()
	return s.now().Add(s.skew)
}

// SetNow gives the server another clock; nil is the real one.
func (s *Server) SetNow(now func() time.Time) {
	if now == nil {
		now = time.Now
	}
	s.clock.Lock()
	s.now = now
	s.clock.Unlock()
}

// SetSkew moves the server's clock against the real one.
func (s *Server) SetSkew(d time.Duration) {
	s.clock.Lock()
	s.skew = d
	s.clock.Unlock()
}

// Local is t as the server would store it: its local time, without a zone.
func (s *Server) Local(t time.Time) time.Time {
	l := t.In(s.zone)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), l.Nanosecond()/1000*1000, time.UTC)
}

// stamp is the time for a new row; no two are the same.
func (s *Server) stamp() time.Time {
	t := s.Local(s.Now())
	s.clock.Lock()
	defer s.clock.Unlock()
	if t.Equal(s.stamped) {
		t = t.Add(time.Microsecond)
	}
	s.stamped = t
	return t
}

// parseMoment reads a time as the server does: one with a zone becomes UTC and
// loses it, also when the server's own zone is another.
func parseMoment(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("no time: %s", strings.TrimSpace(text))
}
