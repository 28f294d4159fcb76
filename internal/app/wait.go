package app

import (
	"context"
	"fmt"
	"time"

	"github.com/cytorun/cytorun/client"
)

// waitInterval is how often a run folder is looked at while somebody waits.
const waitInterval = 100 * time.Millisecond

// Wait returns when the analysis has ended, or with the context's error. seen
// is called when its state or progress changed.
func (s *Session) Wait(ctx context.Context, a Analysis, seen func(Analysis)) (Analysis, error) {
	interval := waitInterval
	if a.Run == nil {
		interval = 5 * time.Second
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var last string
	for {
		fresh, err := s.Refresh(ctx, a)
		if err != nil && (a.Run != nil || !client.Transient(err)) {
			return a, err
		}
		a = fresh
		if now := fmt.Sprint(a.State().Word, a.Progress(), a.Reason()); now != last && seen != nil {
			last = now
			seen(a)
		}
		if !a.State().Live {
			return a, nil
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-tick.C:
		}
	}
}
