// Package notify tells a person that a run or a group has ended: by a command
// of theirs, by mail, by a webhook, by the bell of their terminals.
//
// Rules:
//   - it is asked once for each end, by the supervisor, and waits for nothing
//     longer than Timeout for each way;
//   - a way that fails is told to the caller and changes nothing else;
//   - what it says comes from servers and logs: it is made one line of plain
//     text first. The caller takes keys out of it;
//   - errors do not repeat addresses of webhooks, which are secrets by
//     themselves.
package notify

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/internal/text"
)

// Timeout bounds each way of telling.
const Timeout = 30 * time.Second

// Config is the table [notify] of config.toml. Any number of ways may be set.
type Config struct {
	// Command is run by sh with CYTORUN_RUN, CYTORUN_GROUP, CYTORUN_STATE,
	// CYTORUN_TITLE and CYTORUN_REASON in its environment.
	Command string `toml:"command"`
	Mail    string `toml:"mail"`    // an address
	Webhook string `toml:"webhook"` // gets a POST with the Message as JSON
	Bell    bool   `toml:"bell"`    // rings in every terminal of the person on this box
}

// Load reads the table. Without one it is empty.
func Load(p profile.Paths) (Config, error) {
	path := filepath.Join(p.Config, "config.toml")
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return Config{}, nil
	}
	if err != nil {
		return Config{}, fmt.Errorf("cannot read the settings: %w", err)
	}
	var file struct {
		Notify Config `toml:"notify"`
	}
	meta, err := toml.Decode(string(data), &file)
	if err != nil {
		return Config{}, fmt.Errorf("cannot read [notify] of %s: %w", path, err)
	}
	for _, key := range meta.Undecoded() {
		if len(key) > 1 && key[0] == "notify" {
			return file.Notify, fmt.Errorf("%s: [notify] has no setting %s; it has command, mail, webhook and bell", path, text.Line(key[1:].String()))
		}
	}
	return file.Notify, nil
}

// Empty tells that nobody is to be told.
func (c Config) Empty() bool { return c == Config{} }

// Message is what a person is told. It holds no key.
type Message struct {
	Schema int `json:"schema"`
	// Run is the run that ended; of a group the one that ended last.
	Run   string `json:"run"`
	Group string `json:"group,omitempty"` // set when a whole group has ended
	// Title names it for people, such as "Nuclei #12".
	Title string `json:"title"`
	// State is succeeded, failed, cancelled or lost.
	State string `json:"state"`
	// Reason says why in one line, or for a group how many of each.
	Reason   string         `json:"reason,omitempty"`
	Counts   map[string]int `json:"counts,omitempty"` // of a group, by state
	Host     string         `json:"host"`
	Seconds  float64        `json:"seconds"` // that the program ran
	Ended    time.Time      `json:"ended"`
	Warnings []string       `json:"warnings,omitempty"`
	// Test is set for a message that 'cytorun doctor --notify' sends.
	Test bool `json:"test,omitempty"`
}

// clean makes every text of a message one line that any terminal may show.
func (m Message) clean() Message {
	m.Schema = 1
	m.Title, m.Reason, m.State = text.Line(m.Title), text.Line(m.Reason), text.Line(m.State)
	warnings := make([]string, len(m.Warnings))
	for i, w := range m.Warnings {
		warnings[i] = text.Line(w)
	}
	m.Warnings = warnings
	return m
}

// line is the message in one line.
func (m Message) line() string {
	s := m.Title + ": " + m.State
	if m.Reason != "" {
		s += ": " + m.Reason
	}
	return s
}

// Outcome is how one way of telling went.
type Outcome struct {
	Way string // command, mail, webhook or bell
	Err error
}

// Send tells the person in every way that is set.
func (c Config) Send(ctx context.Context, m Message) []Outcome {
	m = m.clean()
	var outcomes []Outcome
	try := func(way string, wanted bool, send func(context.Context) error) {
		if !wanted {
			return
		}
		ctx, stop := context.WithTimeout(ctx, Timeout)
		defer stop()
		outcomes = append(outcomes, Outcome{way, send(ctx)})
	}
	try("bell", c.Bell, func(context.Context) error { return ring(terminals()) })
	try("webhook", c.Webhook != "", func(ctx context.Context) error { return post(ctx, c.Webhook, m) })
	try("mail", c.Mail != "", func(ctx context.Context) error { return mail(ctx, c.Mail, m) })
	try("command", c.Command != "", func(ctx context.Context) error { return runCommand(ctx, c.Command, m) })
	return outcomes
}

// Describe says how a message went, such as "mail, webhook" and
// "command: exit status 3".
func Describe(outcomes []Outcome) (told, failed string) {
	var good, bad []string
	for _, o := range outcomes {
		if o.Err == nil {
			good = append(good, o.Way)
		} else {
			bad = append(bad, o.Way+": "+cmp.Or(text.Line(o.Err.Error()), "failed"))
		}
	}
	return strings.Join(good, ", "), strings.Join(bad, "; ")
}
