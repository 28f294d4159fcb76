package paramform_test

import (
	"testing"

	"github.com/cytorun/cytorun/tui/nav"
	"github.com/cytorun/cytorun/tui/tuitest"
)

func TestMarksThatWereNotTakenComeBack(t *testing.T) {
	for _, leave := range []string{"esc", "left"} {
		t.Run(leave, func(t *testing.T) {
			f := newForm(t, 100, 30)
			f.to("Images")
			f.Press("enter", "t")
			f.Type("12, 13")
			f.Press("enter", leave)
			if said := tuitest.UntilSent[nav.Toast](f.Driver).Text; said != "2 marks not taken; enter opens the list with them again" {
				t.Errorf("said %q", said)
			}
			f.rowHas("none")
			f.Press("enter")
			f.Shows("2 marked", "enter takes them")
			f.Press("enter")
			f.rowHas("12, 13", "you")
		})
	}
}

func TestMarksThatWereNotTakenCanBeDropped(t *testing.T) {
	f := newForm(t, 100, 30)
	f.ids("Images", "12")
	f.Press("enter", "t")
	f.Type("13")
	f.Press("enter", "esc", "enter")
	f.Shows("2 marked")
	f.Press("u")
	f.Shows("1 marked")
	f.Press("esc")
	f.rowHas("12")
	f.Press("enter")
	f.Shows("1 marked")
	f.Hides("not taken")
}

func TestMarksAreForgottenWhenTheFieldHasChanged(t *testing.T) {
	f := newForm(t, 100, 30)
	f.ids("Images", "12")
	f.Press("enter", "t")
	f.Type("13")
	f.Press("enter", "esc", "u", "enter")
	f.Hides("marked")
}
