package paramform

import (
	"fmt"
	"os/exec"

	tea "charm.land/bubbletea/v2"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/tui/nav"
)

// The whole form in the person's own editor: app.Edit writes the values as a
// commented file, the editor has the terminal, and what comes back is taken into
// the form. A file with mistakes goes back into the editor.

// editReady tells that the file for the editor is written, or has to be edited
// again.
type editReady struct {
	gen  nav.Gen
	edit *app.Edit
	err  error
}

// editorLeft tells that the editor has ended.
type editorLeft struct {
	gen  nav.Gen
	edit *app.Edit
	err  error
}

// edited tells what the editor left.
type edited struct {
	gen    nav.Gen
	values []client.Value
	err    error
}

// editFile begins an edit.
func (m *Screen) editFile() tea.Cmd {
	gen, env, a, values := nav.NewGen(), m.session.Env, m.algorithm, m.params.Values()
	hints := m.hints()
	m.editing = gen
	return func() tea.Msg {
		edit, err := env.StartEdit(a, values, hints)
		return editReady{gen, edit, err}
	}
}

// hintsEach bounds how many options of a list stand in the file.
const hintsEach = 10

// hints are the first options of every list, for the file.
func (m *Screen) hints() map[string][]string {
	hints := map[string][]string{}
	for _, f := range m.params.Fields {
		if l := m.lists[sourceKey(f.Parameter)]; l != nil && hasOptions(f.Parameter) {
			hints[f.Parameter.ID] = l.Hints(hintsEach)
		}
	}
	return hints
}

func (m *Screen) editIsReady(msg editReady) tea.Cmd {
	if msg.gen != m.editing {
		return nil
	}
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	name, args, err := msg.edit.Editor()
	if err != nil {
		msg.edit.Discard()
		return nav.Fail(err)
	}
	return tea.ExecProcess(exec.Command(name, args...), func(err error) tea.Msg { return editorLeft{msg.gen, msg.edit, err} })
}

func (m *Screen) editorWasLeft(msg editorLeft) tea.Cmd {
	if msg.gen != m.editing {
		return nil
	}
	if msg.err != nil {
		return nav.Fail(fmt.Errorf("the editor ended with an error, so nothing is changed: %w; the file is %s", msg.err, msg.edit.Path))
	}
	return func() tea.Msg {
		outcome, err := msg.edit.Finish()
		if outcome.Again {
			return editReady{msg.gen, msg.edit, nil}
		}
		return edited{msg.gen, outcome.Values, err}
	}
}

// wasEdited takes the values of the file. A parameter that it leaves out gets
// its default.
func (m *Screen) wasEdited(msg edited) tea.Cmd {
	if msg.gen != m.editing {
		return nil
	}
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	given := map[string]client.Value{}
	for _, v := range msg.values {
		given[v.Parameter] = v
	}
	var spots []spot
	for _, f := range m.params.Fields {
		spots = append(spots, spot{id: f.Parameter.ID})
	}
	cmd := m.alter(spots, func() {
		for _, s := range spots {
			v, ok := given[s.id]
			switch {
			case !ok:
				m.params.Reset(s.id)
				m.judge(s)
			case !means(m.params.Field(s.id), v.Text):
				m.set(state{s, v.Text, v.Origin, v.Labels})
			}
		}
	})
	if cmd == nil {
		return nav.Say("nothing was changed")
	}
	return cmd
}

// means tells whether a text says what the field holds, maybe in another
// notation.
func means(f *forms.Field, text string) bool {
	v, err := descriptor.ParseValue(f.Parameter.Type, text)
	if err != nil {
		return f.Text == text
	}
	return f.Value().Equal(v) && (f.Text == "") == (text == "")
}
