package exact

import (
	"net/http"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client/exact/exacttest"
)

func at(t testing.TB, rfc3339 string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, rfc3339)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func clockAt(now time.Time) *clock { return &clock{now: func() time.Time { return now }} }

func TestTheZoneIsLearnedFromAStampBesideItsDate(t *testing.T) {
	winter, summer := at(t, "2026-01-20T12:00:00Z"), at(t, "2026-07-20T12:00:00Z")
	for name, c := range map[string]struct {
		now   time.Time
		naive string // of a stamp in an answer of now
		reads string // what 2026-07-01T10:00:00 then is
	}{
		"Berlin in winter":  {winter, "2026-01-20T13:00:00.123456", "2026-07-01T08:00:00Z"},
		"Berlin in summer":  {summer, "2026-07-20T14:00:01", "2026-07-01T08:00:00Z"},
		"UTC":               {summer, "2026-07-20T12:00:00", "2026-07-01T10:00:00Z"},
		"Kathmandu":         {winter, "2026-01-20T17:45:00.5", "2026-07-01T04:15:00Z"},
		"across midnight":   {winter, "2026-01-19T22:00:02", "2026-07-02T00:00:00Z"},
		"an old stamp":      {winter, "2026-01-20T17:07:00", "2026-07-01T08:00:00Z"}, // no offset: the server's default holds
		"a year off":        {winter, "2025-01-20T13:00:00", "2026-07-01T08:00:00Z"},
		"with a zone in it": {winter, "2026-01-20T17:45:00+05:45", "2026-07-01T08:00:00Z"},
		"no time":           {winter, "yesterday", "2026-07-01T08:00:00Z"},
	} {
		k := clockAt(c.now)
		k.observe(c.naive, c.now.Format(http.TimeFormat))
		if got := k.instant("2026-07-01T10:00:00"); !got.Equal(at(t, c.reads)) {
			t.Errorf("%s: %v, want %s", name, got.UTC(), c.reads)
		}
	}
}

// In the night of 2026-10-25 Berlin has the hour from two to three twice.
func TestTheHourThatComesTwice(t *testing.T) {
	for _, c := range []struct{ now, naive, want string }{
		{"2026-10-25T00:30:00Z", "2026-10-25T02:20:00", "2026-10-25T00:20:00Z"},     // the second one is still to come
		{"2026-10-25T01:30:00Z", "2026-10-25T02:20:00.5", "2026-10-25T01:20:00.5Z"}, // either: the younger
		{"2026-10-25T01:10:00Z", "2026-10-25T02:50:00", "2026-10-25T00:50:00Z"},
		{"2026-11-25T00:00:00Z", "2026-10-25T01:59:59", "2026-10-24T23:59:59Z"},
		{"2026-11-25T00:00:00Z", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z"},
	} {
		if got := clockAt(at(t, c.now)).instant(c.naive); !got.Equal(at(t, c.want)) {
			t.Errorf("%s at %s: %v, want %s", c.naive, c.now, got.UTC(), c.want)
		}
	}
}

func TestTimesAreWrittenAsTheServerReadsThem(t *testing.T) {
	k := clockAt(at(t, "2026-07-20T12:00:00Z"))
	if got := k.naive(at(t, "2026-07-20T10:11:12Z")); got != "2026-07-20T12:11:12.000000" {
		t.Error(got)
	}
	for _, s := range []string{"", "null", "2026-13-01T00:00:00", "2026-01-01", "12:00"} {
		if got := k.instant(s); !got.IsZero() {
			t.Errorf("%q is %v", s, got)
		}
	}
	if got := k.instant("2026-07-20T12:00:00+03:00"); !got.Equal(at(t, "2026-07-20T09:00:00Z")) {
		t.Errorf("with a zone: %v", got)
	}
}

// The season changes while a client lives: it learns again.
func TestTheOffsetIsLearnedAgainAfterTheChangeOfTheSeason(t *testing.T) {
	now := at(t, "2026-10-24T23:50:00Z")
	clockNow := func() time.Time { return now }
	zone, err := time.LoadLocation("America/New_York") // none that is guessed
	if err != nil {
		t.Skip("no zones on this box")
	}
	s := newSite(t, exacttest.Options{Zone: zone})
	s.SetNow(clockNow)
	c := s.as(t, "worker", Options{Now: clockNow})
	check := func(when string) {
		t.Helper()
		now = at(t, when)
		job := s.newJob(t, c)
		if again, err := c.PluginJob(t.Context(), job.ID); err != nil || again.Created.Sub(now).Abs() > time.Second {
			t.Errorf("made at %v, reads %v, %v", now, again.Created.UTC(), err)
		}
	}
	check("2026-10-31T20:00:00Z")
	check("2026-11-01T20:00:00Z") // an hour less than the day before
}

// Clocks that differ by minutes are no zones.
func TestSkewIsNoOffset(t *testing.T) {
	for _, skew := range []time.Duration{-13 * time.Minute, 7 * time.Minute, time.Hour} {
		s := newSite(t, exacttest.Options{Skew: skew, Zone: time.FixedZone("", 3*3600)})
		c := s.as(t, "worker", Options{})
		now, err := c.ServerNow(t.Context())
		if err != nil || now.Sub(s.Now()).Abs() > 2*time.Second {
			t.Errorf("skew %v: %v, the server has %v, %v", skew, now, s.Now(), err)
		}
		if _, offset := now.Zone(); offset != 3*3600 {
			t.Errorf("skew %v: offset %d", skew, offset)
		}
		job := s.newJob(t, c)
		if job.Created.Sub(s.Now()).Abs() > 2*time.Second {
			t.Errorf("skew %v: created %v", skew, job.Created)
		}
	}
}
