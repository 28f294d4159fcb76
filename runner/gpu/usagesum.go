package gpu

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// UsageRow is what one group of records used.
type UsageRow struct {
	Key  []string // one for each word of by
	Runs int
	// Time is how long the runs worked, and GPUTime the same for each GPU that
	// they held.
	Time, GPUTime time.Duration
}

// UsageWords are what usage can be told by.
var UsageWords = []string{"user", "gpu", "algorithm"}

// SumUsage adds records up by UsageWords, in any order, most GPU time first.
// Time before since does not count. A run with two GPUs counts for each of them
// where they are told apart.
func SumUsage(records []Record, by []string, since time.Time) []UsageRow {
	rows := map[string]*UsageRow{}
	for _, r := range records {
		took := r.Ended.Sub(later(r.Started, since))
		if took < 0 {
			continue
		}
		shares := []string{""}
		if slices.Contains(by, "gpu") && len(r.GPUs) > 0 {
			shares = r.GPUs
		}
		for _, uuid := range shares {
			var key []string
			for _, word := range by {
				key = append(key, map[string]string{"user": r.User, "algorithm": r.Algorithm, "gpu": cmp.Or(uuid, "none")}[word])
			}
			name := strings.Join(key, "\x00")
			row := rows[name]
			if row == nil {
				row = &UsageRow{Key: key}
				rows[name] = row
			}
			row.Runs++
			row.Time += took
			if uuid != "" {
				row.GPUTime += took
			} else {
				row.GPUTime += took * time.Duration(len(r.GPUs))
			}
		}
	}
	out := make([]UsageRow, 0, len(rows))
	for _, row := range rows {
		out = append(out, *row)
	}
	slices.SortFunc(out, func(a, b UsageRow) int {
		return cmp.Or(cmp.Compare(b.GPUTime, a.GPUTime), cmp.Compare(b.Time, a.Time), slices.Compare(a.Key, b.Key))
	})
	return out
}
