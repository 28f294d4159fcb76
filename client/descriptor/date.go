package descriptor

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// date is an instant and whether a time of day was given with it.
type date struct {
	at      time.Time
	hasTime bool
}

var dayLayouts = []string{"2006-01-02", "2006-1-2", "2006/1/2", "20060102"}

// timeLayouts may end in fractions of a second: time.Parse accepts those.
var timeLayouts = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02 15:04Z07:00",
	"2006-01-02 15:04:05 Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05 Z0700",
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04",
}

// parseDate reads a day, a day with a time (UTC unless a zone is given), or
// milliseconds since 1970, which Cytomine's first web client stored. Days
// like 03/04/2024 mean two things and are refused.
func parseDate(s string) (date, error) {
	s = strings.TrimSpace(s)
	for _, layout := range dayLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return date{at: t}, nil
		}
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return date{at: t, hasTime: true}, nil
		}
	}
	if digits := strings.TrimPrefix(s, "-"); len(digits) > 10 && allDigits(digits) {
		if d, ok := fromMillis(s); ok {
			return d, nil
		}
	}
	return date{}, fmt.Errorf("%s is not a date; write it as 2024-01-31 or 2024-01-31T15:04:05Z", quote(s))
}

// parseDateLimit reads a limit, which descriptors also give as a bare number
// of milliseconds of any length.
func parseDateLimit(s string) (date, error) {
	d, err := parseDate(s)
	if err != nil {
		if n, nerr := parseDecimal(s); nerr == nil && n.isInteger() {
			if d, ok := fromMillis(n.text()); ok {
				return d, nil
			}
		}
	}
	return d, err
}

func fromMillis(s string) (date, bool) {
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return date{}, false
	}
	t := time.UnixMilli(ms).UTC()
	if y := t.Year(); y < 1 || y > 9999 {
		return date{}, false
	}
	return date{at: t, hasTime: !t.Equal(t.Truncate(24 * time.Hour))}, true
}

func (d date) text() string {
	if d.hasTime {
		return d.at.Format(time.RFC3339Nano)
	}
	return d.at.Format(time.DateOnly)
}
