// Package tui is the screens of cytorun: one root model, a stack of screens
// per tab, and what surrounds them.
//
// Where things are:
//
//   - nav: the Screen interface and every message between screens and root;
//
//   - style, keymap, widget: the look, the shared keys, the shared parts;
//
//   - algorithms, analyses, machine, paramform, compareview, logview, resultview: one
//     screen each. They know nav and internal/app, and never each other: a
//     screen asks with a message (nav.OpenForm, nav.OpenLog, ...) and the root
//     builds the other screen with its constructor:
//
//     paramform.Again(s *app.Session, f nav.OpenForm) nav.Screen
//     logview.New(s *app.Session, a app.Analysis) nav.Screen
//     compareview.New(s *app.Session, analyses []app.Analysis) nav.Screen
//     resultview.New(s *app.Session, analyses []app.Analysis) nav.Screen
//
// Constructors do no I/O; Init returns the commands that load. A screen that
// has nothing to show yet (a comparison of no analyses) says how to get there.
//
// The mouse is left to the terminal, so that text can be selected and copied
// as everywhere else; the wheel moves the cursor through the terminal's own
// alternate scroll mode.
package tui
