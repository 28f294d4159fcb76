package supervisor

import (
	"fmt"
	"os"
	"sync"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner"
)

// Recovered is one run that had nobody to look after it.
type Recovered struct {
	ID  string
	Was runner.State
	// Now is its state after its new supervisor looked at the facts; it may
	// still change.
	Now runner.State
	// Waits is set for a run that was waiting when the box went down: it starts
	// when a person agrees, see Resume.
	Waits bool
	Err   error // why nobody looks after it now
}

// Recover gives every run of this box that is not over, or that the server has
// not been told of, a supervisor, unless it has one. The supervisor goes by the
// facts: it follows a container that lives, judges one that has ended, and says
// lost where nobody saw the end. Runs of other hosts are left alone. Without
// such runs it costs no more than listing them.
func Recover(store *runner.Store, exe string) ([]Recovered, error) {
	runs, err := store.List()
	if err != nil {
		return nil, err
	}
	var found []Recovered
	var mu sync.Mutex
	var wg sync.WaitGroup
	parallel := make(chan struct{}, 4)
	for _, run := range runs {
		if !needed(run) {
			continue
		}
		wg.Go(func() {
			parallel <- struct{}{}
			defer func() { <-parallel }()
			r := revive(run, exe)
			mu.Lock()
			defer mu.Unlock()
			found = append(found, r)
		})
	}
	wg.Wait()
	return found, nil
}

// needed tells whether a run lacks a supervisor.
func needed(run runner.Run) bool {
	if run.ForeignHost || run.Problem != nil || runner.Supervised(run.Folder) {
		return false
	}
	if !run.State.Ended() {
		return !parked(run)
	}
	return run.Result != nil && (!run.Result.Confirmed || run.Result.Untold)
}

// parked tells that only a person can help the run on.
func parked(run runner.Run) bool {
	_, started := runner.ReadStarted(run.Folder)
	return (run.State == runner.Queued || run.State == runner.Preparing) && !started && !run.Cancelling &&
		run.Boot != runner.BootID() && !runner.ResumeRequested(run.Folder) && run.Reason == reasonRebooted
}

func revive(run runner.Run, exe string) Recovered {
	r := Recovered{ID: run.ID, Was: run.State, Now: run.State}
	if r.Err = Start(run.Folder, exe, environmentKeys(run.Server)); r.Err != nil {
		return r
	}
	if after, err := runner.ReadFolder(run.Folder); err == nil {
		r.Now = after.State
		r.Waits = after.Boot != runner.BootID() && !after.State.Ended()
	}
	return r
}

// environmentKeys are the keys of this process's environment, if they are for
// that server.
func environmentKeys(ref runner.ServerRef) client.Keys {
	return profile.EnvironmentKeys(ref.URL, os.Getenv)
}

// Resume lets a run start that was waiting when the box went down.
func Resume(run runner.Run, exe, by string) error {
	if run.ForeignHost {
		return fmt.Errorf("run %s belongs to host %s; resume it there", run.ID, run.Host)
	}
	if run.State != runner.Queued && run.State != runner.Preparing {
		return fmt.Errorf("run %s does not wait: it is %s", run.ID, run.State)
	}
	if err := runner.RequestResume(run.Folder, by); err != nil {
		return err
	}
	return Start(run.Folder, exe, environmentKeys(run.Server))
}

// Cancel asks to end a run, and makes sure that somebody does.
func Cancel(run runner.Run, exe, by string) error {
	if run.ForeignHost {
		return fmt.Errorf("run %s belongs to host %s; cancel it there", run.ID, run.Host)
	}
	if err := runner.RequestCancel(run.Folder, by); err != nil {
		return err
	}
	if runner.Supervised(run.Folder) {
		return nil
	}
	return Start(run.Folder, exe, environmentKeys(run.Server))
}
