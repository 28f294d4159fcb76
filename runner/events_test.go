package runner

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheTableOfStates(t *testing.T) {
	all := []State{Created, Queued, Preparing, Running, Succeeded, Failed, Cancelled, Lost}
	allowed := map[State]string{
		Created:   "queued",
		Queued:    "preparing failed cancelled lost",
		Preparing: "running failed cancelled lost",
		Running:   "succeeded failed cancelled lost",
		Succeeded: "failed", // what the server knew and we learnt late
	}
	for _, from := range all {
		for _, to := range all {
			want := false
			for _, s := range strings.Fields(allowed[from]) {
				want = want || State(s) == to
			}
			if got := from.CanBecome(to); got != want {
				t.Errorf("%s -> %s: %v, want %v", from, to, got, want)
			}
		}
	}
	codes := map[State]int{Succeeded: 0, Failed: 10, Cancelled: 11, Lost: 12, Queued: 13, Running: 13}
	for s, code := range codes {
		if s.ExitCode() != code {
			t.Errorf("%s exits with %d", s, s.ExitCode())
		}
	}
}

func TestTheJournalRefusesWhatTheTableDoesNotHave(t *testing.T) {
	s := openStore(t)
	run := create(t, s, example())
	j, err := OpenJournal(run.Folder)
	must(t, err)
	defer j.Close()
	if err := j.Append(Event{State: Running}); err == nil {
		t.Error("queued -> running was accepted")
	}
	if now, _ := ReadFolder(run.Folder); now.State != Queued {
		t.Errorf("state %s", now.State)
	}
	// A line that says so all the same is not believed either.
	f, err := os.OpenFile(filepath.Join(run.Folder, EventsFile), os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString(`{"schema":1,"state":"succeeded"}` + "\n")
	must(t, err)
	must(t, f.Close())
	if now, _ := ReadFolder(run.Folder); now.State != Queued {
		t.Errorf("state %s", now.State)
	}
}

func TestEventsAreReadBackAsTheyWereWritten(t *testing.T) {
	s := openStore(t)
	run := create(t, s, example())
	at := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	j, err := OpenJournal(run.Folder)
	must(t, err)
	for _, e := range []Event{
		{Reason: "waiting for the server: refused"},
		{Facts: map[string]string{FactJob: "900", FactJobNumber: "3", FactUserJob: "901"}},
		{Facts: map[string]string{FactTicket: "17"}},
		{State: Preparing},
		{State: Running, Time: at, Facts: map[string]string{FactBoot: "another"}},
		{Facts: map[string]string{FactProgress: "55"}},
		{Facts: map[string]string{FactProgress: "abc", FactJob: "x"}}, // nonsense is no harm
	} {
		must(t, j.Append(e))
	}
	got, err := ReadFolder(run.Folder)
	must(t, err)
	if got.Job != 900 || got.JobNumber != 3 || got.UserJob != 901 || got.Ticket != 17 || got.State != Running ||
		!got.Started.Equal(at) || got.Progress != 55 || got.Boot != "another" || got.Reason != "" {
		t.Errorf("read as %+v", got)
	}
	if got.Duration(at.Add(time.Minute)) != time.Minute {
		t.Errorf("duration %v", got.Duration(at.Add(time.Minute)))
	}
	must(t, j.Append(Event{State: Failed, Time: at.Add(time.Hour), Reason: "exit 7"}))
	got, err = ReadFolder(run.Folder)
	must(t, err)
	if got.State != Failed || got.Reason != "exit 7" || got.Duration(at.Add(9*time.Hour)) != time.Hour {
		t.Errorf("read as %+v", got)
	}
	must(t, j.Close())
}

func TestAWriterStartsANewLineBehindATornOne(t *testing.T) {
	s := openStore(t)
	run := create(t, s, example())
	path := filepath.Join(run.Folder, EventsFile)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString(`{"schema":1,"state":"prep`)
	must(t, err)
	must(t, f.Close())
	through(t, run, Preparing, Running)
	got, err := ReadFolder(run.Folder)
	must(t, err)
	if got.State != Running || got.Problem != nil {
		t.Errorf("read as %s, %v", got.State, got.Problem)
	}
}

func TestAnEventOfANewerSchemaClosesTheFolderForWriting(t *testing.T) {
	s := openStore(t)
	run := create(t, s, example())
	f, err := os.OpenFile(filepath.Join(run.Folder, EventsFile), os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString(`{"schema":2,"state":"preparing"}` + "\n")
	must(t, err)
	must(t, f.Close())
	if _, err := OpenJournal(run.Folder); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("got %v", err)
	}
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte(`{"schema":1,"time":"2026-11-20T14:32:05Z","state":"created"}` + "\n" + `{"schema":1,"state":"queued"}` + "\n"))
	f.Add([]byte(`{"facts":{"progress":"-9999999999999999999","ticket":"1e9"}}`))
	f.Add([]byte("\n\n{\n\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, SpecFile), []byte(`{"schema":1,"id":"x"}`), 0o600))
		must(t, os.WriteFile(filepath.Join(dir, EventsFile), data, 0o600))
		run, err := ReadFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		if run.Progress < -1 || run.Progress > 100 || run.State == "" {
			t.Errorf("read as %+v", run)
		}
	})
}

func FuzzFolder(f *testing.F) {
	f.Add([]byte(`{"schema":1,"id":"a","values":[{"parameter":"p","text":"1"}]}`), []byte(`{"schema":1,"state":"failed"}`))
	f.Add([]byte(`{"schema":99}`), []byte(`[]`))
	f.Fuzz(func(t *testing.T, spec, result []byte) {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, SpecFile), spec, 0o600))
		must(t, os.WriteFile(filepath.Join(dir, ResultFile), result, 0o600))
		must(t, os.WriteFile(filepath.Join(dir, SummaryFile), result, 0o600))
		must(t, os.WriteFile(filepath.Join(dir, EventsFile), []byte(`{"state":"created"}`+"\n"+`{"state":"queued"}`+"\n"+`{"state":"failed"}`), 0o600))
		_, _ = ReadFolder(dir)
		_, _, _ = readLight(dir, make([]byte, 100))
	})
}
