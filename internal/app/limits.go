package app

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/internal/text"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/runner/apptainer"
)

// MostCPUs is more processors than any box has.
const MostCPUs = 4096

// LimitsProblem says which limits of memory and processors a launch asks for
// that will not hold here, and why; nil where all do. The run starts all the
// same.
func (s *Session) LimitsProblem(r LaunchRequest) error {
	if r.Memory == 0 && r.CPUs == 0 {
		return nil
	}
	if s.runtime(r) == runner.Process {
		return errors.New("memory and processors are limited in containers only: this runs without a limit")
	}
	a, err := apptainer.Find()
	if err != nil {
		return nil // the launch itself says so
	}
	if err = a.Limits(); err != nil {
		return fmt.Errorf("%w; this runs without a limit", err)
	}
	return nil
}

// checkLimits is the line of limits in what is looked at before a launch.
func (s *Session) checkLimits(r LaunchRequest) Check {
	c := Check{Name: "limits", OK: true, Text: "none"}
	if of := boundsOf(r.Resources); len(of) > 0 {
		c.Text = strings.Join(of, ", ")
	}
	if err := s.LimitsProblem(r); err != nil {
		c.Warn, c.Text = true, err.Error()
	}
	return c
}

var limitParts = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?:in)?)?(?:(\d+)s)?$`)
})

// ParseTimeLimit reads a length of time: 90m, 2h30m, 1d12h. Empty is none.
func ParseTimeLimit(typed string) (time.Duration, error) {
	s := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(typed), " ", ""))
	if s == "" {
		return 0, nil
	}
	found := limitParts().FindStringSubmatch(s)
	if found == nil {
		if _, err := strconv.Atoi(s); err == nil {
			return 0, fmt.Errorf("%s of what? write %sm, %sh or %sd", s, s, s, s)
		}
		return 0, fmt.Errorf("%q is not a time; write it as 90m, 2h30m or 1d", text.Line(typed))
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if found[i+1] == "" {
			continue
		}
		n, err := strconv.Atoi(found[i+1])
		if err != nil || n > 100_000_000 {
			return 0, fmt.Errorf("%q is too long", text.Line(typed))
		}
		d += time.Duration(n) * unit
	}
	if d <= 0 || d > 366*24*time.Hour {
		return 0, errors.New("a limit is between 1s and 366d; empty means none")
	}
	return d, nil
}

// FormatTimeLimit writes a length of time as ParseTimeLimit reads it.
func FormatTimeLimit(d time.Duration) string {
	if d < time.Second {
		return "1s"
	}
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
