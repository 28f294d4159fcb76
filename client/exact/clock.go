package exact

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// clock turns the server's times into instants and back. The server writes local
// times without a zone (contract §1.4), so the zone is learned: a time that the
// server has just stamped, beside the Date of the same answer, gives the offset.
// A zone that has this offset now is assumed for the rest of the year: the
// server's default first, then ours; without any the offset itself.
type clock struct {
	now func() time.Time

	mu      sync.Mutex
	zone    *time.Location // nil until something was learned
	learned time.Time      // when something was learned or asked for last, by our clock
	skew    time.Duration  // the server's clock minus ours
}

// serverZone is the TIME_ZONE in EXACT's settings.
const serverZone = "Europe/Berlin"

// learnEvery is how long a learned zone is trusted: it may change with the
// season where it is no more than an offset.
const learnEvery = 15 * time.Minute

// answered is told of the Date of every answer.
func (k *clock) answered(date string) {
	at, err := http.ParseTime(date)
	if err != nil {
		return
	}
	skew := at.Add(500 * time.Millisecond).Sub(k.now())
	if skew.Abs() < 3*time.Second {
		skew = 0 // as good as Date can tell
	}
	k.mu.Lock()
	k.skew = skew
	k.mu.Unlock()
}

// observe learns from a naive time that the server stamped while it made the
// answer with this Date. A time that is too far from any offset is none.
func (k *clock) observe(naive, date string) {
	at, err := http.ParseTime(date)
	wall, errNaive := parseNaive(naive, time.UTC)
	if err != nil || errNaive != nil || hasZone(naive) {
		return
	}
	diff := wall.Sub(at)
	offset := diff.Round(15 * time.Minute)
	if (diff-offset).Abs() > 30*time.Second || offset.Abs() > 15*time.Hour {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.learned = k.now()
	k.zone = zoneWith(k.zone, offset, at)
}

// adopt takes over what another clock of the same server has learned.
func (k *clock) adopt(other *clock) {
	other.mu.Lock()
	zone, learned, skew := other.zone, other.learned, other.skew
	other.mu.Unlock()
	k.mu.Lock()
	k.zone, k.learned, k.skew = zone, learned, skew
	k.mu.Unlock()
}

// zoneWith finds a zone that has an offset at an instant; current is kept if it
// does.
func zoneWith(current *time.Location, offset time.Duration, at time.Time) *time.Location {
	candidates := []*time.Location{current}
	if berlin, err := time.LoadLocation(serverZone); err == nil {
		candidates = append(candidates, berlin)
	}
	candidates = append(candidates, time.Local, time.UTC)
	for _, zone := range candidates {
		if zone == nil {
			continue
		}
		if _, seconds := at.In(zone).Zone(); time.Duration(seconds)*time.Second == offset {
			return zone
		}
	}
	return time.FixedZone(fmt.Sprintf("server%+.2f", offset.Hours()), int(offset/time.Second))
}

// fresh tells whether nothing needs to be learned.
func (k *clock) fresh() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.learned.IsZero() && k.now().Sub(k.learned) < learnEvery
}

// asked notes that the server was asked, whatever it answered.
func (k *clock) asked() {
	k.mu.Lock()
	k.learned = k.now()
	k.mu.Unlock()
}

// location is the learned zone, or the server's default.
func (k *clock) location() *time.Location {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.zone != nil {
		return k.zone
	}
	if berlin, err := time.LoadLocation(serverZone); err == nil {
		return berlin
	}
	return time.UTC
}

// serverNow is what the server's clock shows, in its zone.
func (k *clock) serverNow() time.Time {
	zone := k.location()
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now().Add(k.skew).In(zone)
}

// instant reads a time of the server, zero where there is none. In the hour that
// comes twice in autumn it is the later of the two that is not in the future, so
// that nothing looks older than it is.
func (k *clock) instant(naive string) time.Time {
	if naive == "" {
		return time.Time{}
	}
	zone := k.location()
	t, err := parseNaive(naive, zone)
	if err != nil {
		return time.Time{}
	}
	if hasZone(naive) {
		return t
	}
	latest := k.serverNow().Add(time.Minute)
	first, second := t, t
	if other := t.Add(-time.Hour); wall(other) == wall(t) {
		first = other
	}
	if other := t.Add(time.Hour); wall(other) == wall(t) {
		second = other
	}
	if second.After(latest) {
		return first
	}
	return second
}

// naiveLayout is how the server reads and writes times; Go reads any number of
// fraction digits after the seconds by itself.
const naiveLayout = "2006-01-02T15:04:05"

func wall(t time.Time) string { return t.Format(naiveLayout) }

// naive writes an instant as the server wants it: its local time without a zone,
// because anything else is shifted (contract §1.4).
func (k *clock) naive(t time.Time) string {
	return t.In(k.location()).Format("2006-01-02T15:04:05.000000")
}

func parseNaive(s string, zone *time.Location) (time.Time, error) {
	if hasZone(s) {
		return time.Parse(time.RFC3339, s)
	}
	return time.ParseInLocation(naiveLayout, s, zone)
}

// hasZone tells whether a time carries a zone, which the server's never do.
func hasZone(s string) bool {
	_, clockTime, ok := strings.Cut(s, "T")
	return ok && (strings.HasSuffix(s, "Z") || strings.ContainsAny(clockTime, "+-"))
}
