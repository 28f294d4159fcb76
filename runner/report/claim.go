package report

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/exact"
	"github.com/cytorun/cytorun/runner"
)

// ClaimPause is the most that a claim waits before each of the two times that it
// is read back; it waits half of it at least. It must be longer than a write of
// another worker can take to arrive, from the moment that it saw the job free:
// whoever wrote last then sees its own name twice, and everybody else another's.
// Tests, whose servers are near, shorten it.
var ClaimPause = time.Second

// claimWrites is how often a claim is written that somebody wipes off.
const claimWrites = 5

// Claim writes the run's name on a job that is free, and makes sure that it
// stays there: ErrTaken or ErrGone where it does not. A job that has a result is
// not free, whatever the rest of it says: somebody has done it, and a write that
// came late has put an older row in place of the newer one.
func Claim(ctx context.Context, server *exact.Client, spec runner.Spec, id client.ID) error {
	me := Worker(spec)
	j, err := readJob(ctx, server, id)
	if err != nil {
		return err
	}
	ours := j.Worker == me // an earlier try, whose results are ours too
	if !ours {
		if err := free(j); err != nil {
			return err
		}
		if _, err := server.PatchPluginJob(ctx, id, exact.JobPatch{Worker: &me}); err != nil {
			return gone(id, err)
		}
	}
	writes := 1
	for seen := 0; seen < 2; {
		if err := sleep(ctx, ClaimPause/2+time.Duration(rand.Int64N(int64(ClaimPause)/2))); err != nil {
			return err
		}
		if j, err = readJob(ctx, server, id); err != nil {
			return err
		}
		switch {
		case j.Worker == me && (ours || j.Result == 0 && j.State() == exact.StateClaimed):
			seen++
		case j.Worker == me: // done already: give back what should not have been taken
			none := ""
			if _, err := server.PatchPluginJob(ctx, id, exact.JobPatch{Worker: &none}); err != nil {
				return gone(id, err)
			}
			return fmt.Errorf("job %d: %w and has done it", id, ErrTaken)
		case j.Worker != "" || free(j) != nil || writes == claimWrites:
			return fmt.Errorf("job %d: %w, %s", id, ErrTaken, j.Worker)
		default: // wiped off by somebody who had read the row before
			if _, err := server.PatchPluginJob(ctx, id, exact.JobPatch{Worker: &me}); err != nil {
				return gone(id, err)
			}
			writes++
			seen = 0
		}
	}
	return nil
}

// free tells whether a job may be claimed.
func free(j exact.PluginJob) error {
	switch {
	case j.Worker != "":
		return fmt.Errorf("job %d: %w, %s", j.ID, ErrTaken, j.Worker)
	case !j.Claimable():
		return fmt.Errorf("job %d is over already, or has a result: %w", j.ID, ErrTaken)
	}
	return nil
}
