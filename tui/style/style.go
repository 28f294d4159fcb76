// Package style is the look of the screens: a few roles, each with one style.
//
// Rules:
//   - a screen asks for a role (Good, Faint, Key), never for a colour;
//   - colour never says anything alone: a word or a sign stands beside it, so
//     that NO_COLOR and a colour-blind reader lose nothing;
//   - what is selected is a marker and bold text, never a reversed row: moving
//     a cursor must not repaint rows over a slow line;
//   - padding is never styled, because a styled blank costs bytes.
//
// A process has one terminal, so the theme is a property of the process: the
// root model sets it when the terminal tells its background, on the same
// goroutine that draws.
package style

import (
	"charm.land/lipgloss/v2"

	"github.com/cytorun/cytorun/internal/app"
)

// Theme holds one style per role.
type Theme struct {
	Dark bool

	Plain  lipgloss.Style // ordinary text
	Bold   lipgloss.Style // the row under the cursor, names in a detail
	Faint  lipgloss.Style // what is said beside the point: labels, ages, hints
	Head   lipgloss.Style // headings and column titles
	Accent lipgloss.Style // the marker of the cursor, the present tab
	Key    lipgloss.Style // a key in a footer or help
	Rule   lipgloss.Style // lines that part areas
	Match  lipgloss.Style // what a filter or search found
	Mark   lipgloss.Style // sign of a marked row

	Good, Warn, Bad, Busy lipgloss.Style

	// Caret is the cell of a text cursor.
	Caret lipgloss.Style
}

// New makes the theme for a dark or a light background.
func New(dark bool) *Theme {
	pick := func(light, onDark string) lipgloss.Style {
		return lipgloss.NewStyle().Foreground(lipgloss.LightDark(dark)(lipgloss.Color(light), lipgloss.Color(onDark)))
	}
	plain := lipgloss.NewStyle()
	accent := pick("25", "110")
	return &Theme{
		Dark:   dark,
		Plain:  plain,
		Bold:   plain.Bold(true),
		Faint:  pick("243", "246"),
		Head:   pick("240", "250").Bold(true),
		Accent: accent.Bold(true),
		Key:    accent,
		Rule:   pick("250", "239"),
		Match:  pick("130", "179").Bold(true),
		Mark:   accent.Bold(true),
		Good:   pick("28", "108"),
		Warn:   pick("130", "179"),
		Bad:    pick("160", "167").Bold(true),
		Busy:   pick("25", "110"),
		Caret:  plain.Reverse(true),
	}
}

var now = New(true)

// Now is the theme of this process's terminal.
func Now() *Theme { return now }

// Use changes the theme. Only the root model calls it; afterwards it tells
// every screen with nav.ThemeChanged, because views are cached.
func Use(dark bool) { now = New(dark) }

// Tone is the style for a state's tone.
func (t *Theme) Tone(tone app.Tone) lipgloss.Style {
	switch tone {
	case app.Good:
		return t.Good
	case app.Warn:
		return t.Warn
	case app.Bad:
		return t.Bad
	case app.Busy:
		return t.Busy
	}
	return t.Faint
}

// Sign is one cell that stands before a state, so that it can be told without
// colours.
func Sign(tone app.Tone) string {
	switch tone {
	case app.Good:
		return "✓"
	case app.Warn:
		return "!"
	case app.Bad:
		return "✗"
	case app.Busy:
		return "●"
	}
	return "·"
}
