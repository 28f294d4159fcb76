package worker

import (
	"fmt"
	"strings"
	"time"
)

// Hours are the times of day at which a worker claims jobs, by the clock of
// this box; none are all hours. What runs when they end goes on.
type Hours []span

// span is from a minute of the day up to another, which may be of the next day.
type span struct{ from, to int }

// ParseHours reads "18:00-08:00", or several of these between commas. Nothing is
// all hours.
func ParseHours(s string) (Hours, error) {
	var h Hours
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		from, to, ok := strings.Cut(strings.TrimSpace(part), "-")
		a, err1 := minute(from)
		b, err2 := minute(to)
		if !ok || err1 != nil || err2 != nil || a == b {
			return nil, fmt.Errorf("%q are no hours; write them as 18:00-08:00", part)
		}
		h = append(h, span{a, b})
	}
	return h, nil
}

func minute(s string) (int, error) {
	s = strings.TrimSpace(s)
	if s == "24:00" {
		return 0, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, err
	}
	return t.Hour()*60 + t.Minute(), nil
}

// Open tells whether jobs are claimed at a time.
func (h Hours) Open(t time.Time) bool {
	if len(h) == 0 {
		return true
	}
	now := t.Hour()*60 + t.Minute()
	for _, s := range h {
		if s.from < s.to && s.from <= now && now < s.to || s.from > s.to && (now >= s.from || now < s.to) {
			return true
		}
	}
	return false
}

// String writes them as they are read.
func (h Hours) String() string {
	var parts []string
	for _, s := range h {
		parts = append(parts, fmt.Sprintf("%02d:%02d-%02d:%02d", s.from/60, s.from%60, s.to/60, s.to%60))
	}
	return strings.Join(parts, ",")
}
