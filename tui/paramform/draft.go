package paramform

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/runner"
	"github.com/cytorun/cytorun/tui/nav"
)

// draft is what somebody has filled in and not launched, as a file. It holds what differs from the form as it was opened.
type draft struct {
	Schema    int            `json:"schema"`
	Saved     time.Time      `json:"saved"`
	Server    string         `json:"server"`
	Project   client.ID      `json:"project"`
	Algorithm string         `json:"algorithm"`
	Values    []client.Value `json:"values"`
	Launch    []client.Value `json:"launch,omitempty"` // of the launch block
}

const draftSchema = 1

// draftFiles keeps drafts in files of the person, one for each server, project
// and algorithm: ids of images mean something in one project only. A form that
// was opened as an earlier analysis was launched has a draft of its own.
type draftFiles struct {
	path   string
	writer *draftWriter

	saving  bool // a save is on its way
	unsaved bool // something changed meanwhile
	touched bool // something has been saved by this form, or tried to
	off     bool // the values are on their way to a run
	reading nav.Gen
}

func newDraftFiles(s *app.Session, a client.Algorithm, prefill []client.Value, like *runner.Resources) draftFiles {
	of := s.Profile.URL + "\x00" + s.User.Username + "\x00" + idText(s.Project.ID) + "\x00" + idText(a.ID)
	if len(prefill) > 0 || like != nil {
		// What cannot be marshalled does not exist in values and resources.
		data, _ := json.Marshal([]any{prefill, like})
		of += "\x00" + string(data)
	}
	return draftFiles{writer: &draftWriter{}, path: filepath.Join(s.Env.Paths.State, "drafts", digest(of)+".json")}
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:12])
}

func idText(id client.ID) string { return strconv.FormatInt(int64(id), 10) }

// readDraft reads a file; nil when there is none, or none that can be read.
func readDraft(path string) *draft {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var d draft
	if json.Unmarshal(data, &d) != nil || d.Schema != draftSchema {
		return nil
	}
	return &d
}

// writeDraft replaces a file in one step; a draft without values is no file.
func writeDraft(path string, d draft) error {
	if len(d.Values)+len(d.Launch) == 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	d.Schema = draftSchema
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return runner.WriteJSON(path, d)
}

// draftWriter lets no older write of a form replace a newer one: a form that is
// left, or launched, does not wait for the write that is on its way.
type draftWriter struct {
	mu    sync.Mutex
	given int // how many writes there were so far; only the screen counts
	last  int // the newest one that was done
}

// next is the next write, to be done in the background.
func (f draftFiles) next(d draft) func() error {
	w, path := f.writer, f.path
	w.given++
	n := w.given
	return func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if n < w.last {
			return nil
		}
		w.last = n
		return writeDraft(path, d)
	}
}

// draftsRead answers readDrafts.
type draftsRead struct {
	gen   nav.Gen
	draft *draft
	last  *draft            // values of the last launch
	gpus  *runner.Resources // that the algorithm's last run asked for
}

// readDrafts looks for what an earlier form left, and what was launched last.
func (m *Screen) readDrafts() tea.Cmd {
	path, s, name, gen := m.drafts.path, m.session, m.algorithm.Name, nav.NewGen()
	m.drafts.reading = gen
	return func() tea.Msg {
		read := draftsRead{gen: gen, draft: readDraft(path)}
		if values, at, ok := s.LastUsed(name); ok {
			read.last = &draft{Values: values, Saved: at}
		}
		if gpus, ok := s.LastGPUs(name); ok {
			read.gpus = &gpus
		}
		return read
	}
}

func (m *Screen) draftsWereRead(msg draftsRead) tea.Cmd {
	if msg.gen != m.drafts.reading {
		return nil
	}
	m.drafts.reading = 0
	m.last = msg.last
	if msg.gpus != nil && msg.gpus.GPUs > 0 && m.like == nil {
		m.startWith(*msg.gpus, client.FromLast)
		m.refresh()
	}
	if msg.draft == nil || m.drafts.touched || len(m.changed()) > 0 {
		return nil
	}
	m.fill(msg.draft)
	m.undo = nil
	m.drafts.touched, m.drafts.saving = false, false // it is on disk already
	if n := len(m.changed()); n > 0 {
		return nav.Say(fmt.Sprintf("draft of %s restored; X resets", clock(msg.draft.Saved, m.now())))
	}
	return nil
}

// clock is the time of a draft: of today the hour is enough.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return t.Format("15:04")
	case now.Sub(t) < 6*24*time.Hour:
		return t.Format("Mon 15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// saved answers save.
type saved struct {
	path string
	err  error
}

// save writes the draft in the background. There is one write at a time; what is
// typed meanwhile is in the next one, which follows at once.
func (m *Screen) save() tea.Cmd {
	m.drafts.touched = true
	if m.drafts.off {
		return nil
	}
	if m.drafts.saving {
		m.drafts.unsaved = true
		return nil
	}
	m.drafts.saving, m.drafts.unsaved = true, false
	path, write := m.drafts.path, m.drafts.next(m.draft())
	return func() tea.Msg { return saved{path, write()} }
}

func (m *Screen) wasSaved(msg saved) tea.Cmd {
	if msg.path != m.drafts.path {
		return nil
	}
	m.drafts.saving = false
	if msg.err != nil {
		m.drafts.unsaved = false
		return nav.Fail(fmt.Errorf("cannot keep a draft of this form: %w", msg.err))
	}
	if m.drafts.unsaved {
		return m.save()
	}
	return nil
}

// draft is what differs from the form as it was opened.
func (m *Screen) draft() draft {
	d := draft{Saved: m.now(), Server: m.session.Profile.URL, Project: m.session.Project.ID, Algorithm: m.algorithm.Name}
	for _, s := range m.changed() {
		f := m.field(s)
		v := client.Value{Parameter: s.id, Text: f.Text, Origin: f.Origin, Labels: f.Labels}
		if s.launch {
			d.Launch = append(d.Launch, v)
		} else {
			d.Values = append(d.Values, v)
		}
	}
	return d
}

// useLast fills in the values of the last launch.
func (m *Screen) useLast() tea.Cmd {
	if m.last == nil {
		return nil
	}
	cmd := m.fill(m.last)
	if cmd == nil {
		return nav.Say("the values are those of the last launch already")
	}
	return tea.Batch(cmd, nav.Say("values of the last launch, "+clock(m.last.Saved, m.now())+"; u takes them back"))
}
