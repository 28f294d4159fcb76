package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cytorun/cytorun/client/descriptor"
)

// mask stands for a secret.
const mask = "••••"

// placeNotes tell about words and keys that do not fit together.
func placeNotes(words []word, args []argument) []string {
	var notes []string
	for _, a := range args {
		if a.loose != "" {
			notes = append(notes, fmt.Sprintf("%s: the command line spells its key %s as %s; a Cytomine server would not replace it",
				a.param.ID, quote(a.key), quote(a.loose)))
		}
	}
	for _, w := range words {
		if w.pieces == nil && isBracketed(w.text) {
			notes = append(notes, fmt.Sprintf("%s in the command line belongs to no parameter and stays as it is", quote(w.text)))
		}
	}
	return notes
}

func isBracketed(s string) bool {
	return len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' && descriptor.KeyName(s) != ""
}

// serverNotes compare argv with what a Cytomine server would have run. Empty
// words are left out of the comparison: its execution host joins the words
// and a shell splits them again.
func serverNotes(commandLine string, args []argument, argv []string) []string {
	var notes []string
	shown := slices.Clone(args)
	for i, a := range args {
		if a.value != "" && a.param.IsSecret() {
			shown[i].value = mask
			continue
		}
		switch {
		case a.value == "" || !a.placed:
		case strings.ContainsAny(a.value, " \t\n"):
			notes = append(notes, a.param.ID+": a Cytomine server would split the value at its spaces")
		case strings.ContainsAny(a.value, "$`\\\"'();&|<>*?#~!{}"):
			notes = append(notes, a.param.ID+": a Cytomine server hands the value to a shell, which would change it")
		}
	}
	words, err := serverCommand(commandLine, args)
	if err != nil {
		return append(notes, "a Cytomine server would fail: "+err.Error())
	}
	if slices.Equal(slices.DeleteFunc(words, func(w string) bool { return strings.TrimSpace(w) == "" }), argv) {
		return notes
	}
	masked, err := serverCommand(commandLine, shown)
	if err != nil {
		return notes
	}
	text := strings.Join(strings.Fields(strings.Join(masked, " ")), " ")
	return append(notes, "a Cytomine server itself would run: "+shorten(text, 2000))
}

func quote(s string) string { return strconv.Quote(shorten(s, 60)) }

func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
