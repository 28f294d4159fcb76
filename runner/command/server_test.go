package command

import (
	"slices"
	"testing"
)

func serverWords(t *testing.T, line string, inputs []Input) []string {
	t.Helper()
	words, err := serverCommand(line, arguments(inputs))
	if err != nil {
		t.Fatal(err)
	}
	return words
}

func arguments(inputs []Input) []argument {
	var args []argument
	for _, i := range inputs {
		args = append(args, newArgument(i))
	}
	return args
}

func TestServerCommandReplacesAndSplitsAsTheServerDoes(t *testing.T) {
	tests := []struct {
		name   string
		line   string
		inputs []Input
		want   []string
	}{
		{"removed keys leave empty words, but none at the end", "run [A] [B] [C] [D]", []Input{in("a?"), in("b=2"), in("c?"), in("d?")}, []string{"run", "", "--b", "2"}},
		{"values are split", "[A]", []Input{in("a=x  y")}, []string{"--a", "x", "", "y"}},
		{"every occurrence, also inside words", "AREA_T T", []Input{in("t=1", key("T"))}, []string{"AREA_--t", "1", "--t", "1"}},
		{"values are searched for later keys", "[A]", []Input{in("a=[B]"), in("b=2")}, []string{"--a", "--b", "2"}},
		{"keys are regular expressions", "run a.b axb", []Input{in("a=1", key("a.b"), flag(""))}, []string{"run", "1", "1"}},
		{"a dollar sign matters only where the key is", "run", []Input{in("a=$1")}, []string{"run"}},
		{"a scheduler's key stays", "run [MEM]", []Input{in("mem=4G", scheduler)}, []string{"run", "[MEM]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := serverWords(t, tt.line, tt.inputs); !slices.Equal(got, tt.want) {
				t.Errorf("server runs %q, want %q", got, tt.want)
			}
		})
	}
}

func TestServerCommandFailsWhereTheServerFails(t *testing.T) {
	tests := []struct {
		name   string
		inputs []Input
		want   string
	}{
		{"group reference", []Input{in("a=$1")}, "a: a dollar sign in the value makes it fail"},
		{"backslash at the end", []Input{in(`a=x\`)}, "a: a backslash at the end of the value makes it fail"},
		{"broken expression", []Input{in("a=1", key("A("))}, "a: its key is no regular expression"},
	}
	for _, tt := range tests {
		if _, err := serverCommand("[A] A(", arguments(tt.inputs)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	var doubling []Input
	for range 64 {
		doubling = append(doubling, in("a=AA", key("A"), flag("")))
	}
	if _, err := serverCommand("A", arguments(doubling)); err == nil {
		t.Error("a command that doubles 64 times was built")
	}
}
