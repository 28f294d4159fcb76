package text

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Bytes is a size for people, in units of 1000: "999 B", "1.2 kB", "76 MB".
// A negative size is unknown: "?".
func Bytes(n int64) string {
	if n < 0 {
		return "?"
	}
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f := float64(n)
	for _, unit := range []string{"kB", "MB", "GB", "TB", "PB"} {
		f /= 1000
		if f < 9.95 {
			return fmt.Sprintf("%.1f %s", f, unit)
		}
		if f < 999.5 {
			return fmt.Sprintf("%.0f %s", f, unit)
		}
	}
	return fmt.Sprintf("%.0f EB", math.Max(f/1000, 1))
}

// Memory is a size of memory for people, in the units of 1024 in which memory
// is built and asked for (8G is 8 GiB): "512 MiB", "9.8 GiB". A negative size is
// unknown: "?".
func Memory(n int64) string {
	if n < 0 {
		return "?"
	}
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f := float64(n)
	for _, unit := range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		f /= 1024
		switch {
		case f < 9.95 && math.Abs(f-math.Round(f)) >= 0.05:
			return fmt.Sprintf("%.1f %s", f, unit)
		case f < 1023.5:
			return fmt.Sprintf("%.0f %s", f, unit)
		}
	}
	return fmt.Sprintf("%.0f EiB", math.Max(f/1024, 1))
}

// Count is a number with its thousands apart: "12,345".
func Count(n int) string {
	s := strconv.Itoa(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Duration is a length of time for people: "40 ms", "0.4 s", "12 s", "3m12s", "2h05m",
// "3d04h". Less than nothing, as clocks that differ make it, is "0 s".
func Duration(d time.Duration) string {
	switch s := int64(d.Round(time.Second) / time.Second); {
	case d < time.Millisecond:
		return "0 s"
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	default:
		return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
	}
}

// Ago is how long before now t was: "just now", "5 min ago", "3 h ago",
// "2 d ago", and the date when that is more than 30 days. A time in the future
// is "in 5 min", and the zero time is "never".
func Ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	future := d < 0
	if future {
		d = -d
	}
	var s string
	switch {
	case d < 10*time.Second, future && d < time.Minute:
		return "just now"
	case d < time.Minute:
		s = fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		s = fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		s = fmt.Sprintf("%d h", int(d.Hours()))
	case d < 30*24*time.Hour:
		s = fmt.Sprintf("%d d", int(d.Hours()/24))
	default:
		return t.In(now.Location()).Format("2006-01-02")
	}
	if future {
		return "in " + s
	}
	return s + " ago"
}

// Plural counts things: "1 annotation", "12 annotations".
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Count(n) + " " + thing + "s"
}
