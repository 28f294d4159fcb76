package command

import (
	"slices"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client/descriptor"
)

// in makes an input from "id", "id=value" or "id?" (optional, no value), with
// the key in brackets and the flag --id unless changed.
func in(spec string, change ...func(*descriptor.Parameter)) Input {
	id, value, has := strings.Cut(spec, "=")
	id, optional := strings.CutSuffix(id, "?")
	p := descriptor.Parameter{ID: id, Optional: optional, ValueKey: "[" + strings.ToUpper(id) + "]", Flag: "--" + id}
	for _, c := range change {
		c(&p)
	}
	if !has {
		return Input{Parameter: p}
	}
	return Input{Parameter: p, Value: &value}
}

func key(k string) func(*descriptor.Parameter) {
	return func(p *descriptor.Parameter) { p.ValueKey = k }
}
func flag(f string) func(*descriptor.Parameter) { return func(p *descriptor.Parameter) { p.Flag = f } }
func def(d string) func(*descriptor.Parameter) {
	return func(p *descriptor.Parameter) { p.Default = &d }
}
func scheduler(p *descriptor.Parameter) { p.ServerParameter = true }

func TestBuildMakesArguments(t *testing.T) {
	tests := []struct {
		name   string
		line   string
		inputs []Input
		want   []string
	}{
		{"a key becomes flag and value", "run [A] end", []Input{in("a=1")}, []string{"run", "--a", "1", "end"}},
		{"no flag", "run [A]", []Input{in("a=1", flag(""))}, []string{"run", "1"}},
		{"keys without brackets", "run A B", []Input{in("a=1", key("A")), in("b=2", key("B"))}, []string{"run", "--a", "1", "--b", "2"}},
		{"a key inside another key", "SVM SVM_C", []Input{in("svm=1", key("SVM")), in("svm_c=2", key("SVM_C"))}, []string{"--svm", "1", "--svm_c", "2"}},
		{"the same the other way round", "PROJECTS PROJECT", []Input{in("project=1", key("PROJECT")), in("projects=2", key("PROJECTS"))}, []string{"--projects", "2", "--project", "1"}},
		{"a bare key is no part of a longer word", "SVM_C SVM", []Input{in("svm=1", key("SVM"))}, []string{"SVM_C", "--svm", "1"}},
		{"nor at its end", "AREA_T --x=AREA_T T", []Input{in("t=1", key("T"))}, []string{"AREA_T", "--x=AREA_T", "--t", "1"}},
		{"a value is one argument", "[A]", []Input{in("a=oil (1.515) $HOME 'x'")}, []string{"--a", "oil (1.515) $HOME 'x'"}},
		{"a value that looks like a key", "[A] [B]", []Input{in("a=[B]"), in("b=2")}, []string{"--a", "[B]", "--b", "2"}},
		{"a list is one argument", "[A]", []Input{in("a=12,13")}, []string{"--a", "12,13"}},
		{"false is sent", "[A]", []Input{in("a=false")}, []string{"--a", "false"}},
		{"zero is sent", "[A]", []Input{in("a=0")}, []string{"--a", "0"}},
		{"optional without a value disappears", "run [A] [B]", []Input{in("a?"), in("b=2")}, []string{"run", "--b", "2"}},
		{"empty text is no value", "run [A]", []Input{in("a?=")}, []string{"run"}},
		{"a cleared optional default stays cleared", "run [A]", []Input{in("a?", def("5"))}, []string{"run"}},
		{"a required default is always sent", "run [A]", []Input{in("a", def("5"))}, []string{"run", "--a", "5"}},
		{"a key twice", "[A] x [A]", []Input{in("a=1")}, []string{"--a", "1", "x", "--a", "1"}},
		{"tabs and line ends separate words", "run\t[A]\n  [B]", []Input{in("a=1"), in("b=2")}, []string{"run", "--a", "1", "--b", "2"}},

		{"a flag already there is not doubled", "run --a [A] [B]", []Input{in("a=1"), in("b=2")}, []string{"run", "--a", "1", "--b", "2"}},
		{"a flag already there goes with a missing value", "run --a [A] [B]", []Input{in("a?"), in("b=2")}, []string{"run", "--b", "2"}},
		{"an option of the command line goes too when it is the parameter's name", "run --max-pixels [MAX_PIXELS] -v", []Input{in("max_pixels?", flag(""))}, []string{"run", "-v"}},
		{"another option stays", "run -v [A]", []Input{in("a?", flag(""))}, []string{"run", "-v"}},
		{"a value that equals the next flag does not swallow it", "[A] [B]", []Input{in("a=--b", flag("")), in("b=2")}, []string{"--b", "--b", "2"}},
		{"a flag of two words", "[A]", []Input{in("a=1", flag("-p --a"))}, []string{"-p", "--a", "1"}},
		{"a flag that ends in =", "[A]", []Input{in("a=1", flag("--a="))}, []string{"--a=1"}},
		{"a flag that ends in = is there already", "--a= [A]", []Input{in("a=1", flag("--a="))}, []string{"--a=", "1"}},

		{"commas around keys", "run [A], [B],[C] , [D]", []Input{in("a=1"), in("b=2"), in("c=3"), in("d=4")},
			[]string{"run", "--a", "1", "--b", "2", "--c", "3", "--d", "4"}},
		{"commas between keys without flags join the values", "[X],[Y]", []Input{in("x=1", flag("")), in("y=2", flag(""))}, []string{"1,2"}},
		{"commas elsewhere stay", "run a,b , [A]x,", []Input{in("a=1", flag(""))}, []string{"run", "a,b", ",", "1x,"}},
		{"commas around bare keys", "A, B", []Input{in("a=1", key("A")), in("b=2", key("[B]"))}, []string{"--a", "1", "--b", "2"}},

		{"a key inside a word gives the value only", "--a=[A] out/[B].csv", []Input{in("a=1"), in("b=2")}, []string{"--a=1", "out/2.csv"}},
		{"a bare key inside a word", "--a=A", []Input{in("a=1", key("A"))}, []string{"--a=1"}},
		{"the longest key first inside a word", "x=@ab/@a", []Input{in("a=1", key("@a")), in("ab=2", key("@ab"))}, []string{"x=2/1"}},
		{"a value put into a word is not searched again", "x=[A][B]", []Input{in("a=[B]"), in("b=2")}, []string{"x=[B]2"}},
		{"an option in one word goes with a missing value", "run --a=[A] --out out_[B].csv", []Input{in("a?"), in("b?")}, []string{"run", "--out", "out_.csv"}},
		{"an option in front goes too", "run --a '[A]' x", []Input{in("a?")}, []string{"run", "x"}},
		{"one of two values", "[A]:[B]", []Input{in("a?"), in("b=2")}, []string{":2"}},

		{"value-key in brackets, bare in the command line", "run SIGMA", []Input{in("sigma=1")}, []string{"run", "--sigma", "1"}},
		{"value-key bare, brackets in the command line", "run [SIGMA]", []Input{in("sigma=1", key("SIGMA"))}, []string{"run", "--sigma", "1"}},
		{"value-key with @ in brackets", "run [HOST]", []Input{in("host=h", key("[@HOST]"))}, []string{"run", "--host", "h"}},
		{"value-key with @", "run SIGMA", []Input{in("sigma=1", key("@SIGMA"))}, []string{"run", "--sigma", "1"}},
		{"lower case in brackets", "run [sigma] @mode", []Input{in("sigma=1"), in("mode=m")}, []string{"run", "--sigma", "1", "--mode", "m"}},
		{"lower case alone is text", "run mode", []Input{in("mode=m")}, []string{"run", "mode"}},
		{"another spelling inside a word", "--x=[@SIGMA]", []Input{in("sigma=1", key("SIGMA"))}, []string{"--x=1"}},
		{"a bare word is text when the key is there", "X [X]", []Input{in("x=1")}, []string{"X", "--x", "1"}},
		{"no value-key means the id in brackets", "run [A]", []Input{in("a=1", key(""))}, []string{"run", "--a", "1"}},

		{"a key of no parameter stays", "run [NOBODY] SOMEBODY", []Input{in("a=1")}, []string{"run", "[NOBODY]", "SOMEBODY"}},
		{"a scheduler's value does not reach the program", "run [MEM] [A]", []Input{in("mem=4G", scheduler), in("a=1")}, []string{"run", "--a", "1"}},
		{"no command line", "", []Input{in("a=1")}, nil},
		{"no inputs", "echo hello", nil, []string{"echo", "hello"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Build(tt.line, tt.inputs)
			if !slices.Equal(got.Argv, tt.want) {
				t.Errorf("Build(%q) = %q, want %q", tt.line, got.Argv, tt.want)
			}
			if len(got.Secret) != len(got.Argv) || slices.Contains(got.Secret, true) {
				t.Errorf("secret words %v of %q", got.Secret, got.Argv)
			}
		})
	}
}

func TestBuildOfTheWorkedExample(t *testing.T) {
	line := Tail("singularity run demo-v1.2.simg python run.py [CYTOMINE_HOST] [CYTOMINE_ID_IMAGES] [MASK] [SEED]")
	inputs := []Input{in("cytomine_host=https://x"), in("cytomine_id_images=12,13"), in("mask", def("true")), in("seed?")}
	want := []string{"python", "run.py", "--cytomine_host", "https://x", "--cytomine_id_images", "12,13", "--mask", "true"}
	got := Build(line, inputs)
	if !slices.Equal(got.Argv, want) {
		t.Errorf("argv %q, want %q", got.Argv, want)
	}
	if got.Unreached != nil || got.Notes != nil {
		t.Errorf("unreached %q, notes %q", got.Unreached, got.Notes)
	}
	server := serverWords(t, line, inputs)
	if !slices.Equal(server, want) {
		t.Errorf("server %q, want %q", server, want)
	}
}

func TestBuildListsWhatNeverReachesTheProgram(t *testing.T) {
	got := Build("run [A] X", []Input{
		in("a=1"), in("lost=2"), in("optional?"), in("second=3", key("X")), in("third=4", key("X")), in("mem=4G", scheduler),
	})
	if want := []string{"lost", "optional", "third"}; !slices.Equal(got.Unreached, want) {
		t.Errorf("unreached %q, want %q", got.Unreached, want)
	}
	if want := []string{"run", "--a", "1", "--second", "3"}; !slices.Equal(got.Argv, want) {
		t.Errorf("argv %q, want %q", got.Argv, want)
	}
}

func TestBuildMarksSecrets(t *testing.T) {
	got := Build("run [CYTOMINE_PRIVATE_KEY] --k=[CYTOMINE_PUBLIC_KEY] [A] --k [A]", []Input{
		in("cytomine_public_key=pub-123"), in("cytomine_private_key=priv-456"), in("a=x y"),
	})
	for i, word := range got.Argv {
		if secret := strings.Contains(word, "pub-123") || strings.Contains(word, "priv-456"); secret != got.Secret[i] {
			t.Errorf("word %q secret %t", word, got.Secret[i])
		}
	}
	notes := strings.Join(got.Notes, "\n")
	if strings.Contains(notes, "123") || strings.Contains(notes, "456") || !strings.Contains(notes, mask) {
		t.Errorf("notes %s", notes)
	}
}

func TestNotesHideASecretThatOnlyTheServerWouldPlace(t *testing.T) {
	got := Build("0KEY", []Input{in("private_key=priv-456", key("KEY"))})
	if want := []string{"a Cytomine server itself would run: 0--private_key " + mask}; !slices.Equal(got.Notes, want) {
		t.Errorf("notes %q, want %q", got.Notes, want)
	}
}

func TestNotesSayWhatAServerWouldHaveRun(t *testing.T) {
	tests := []struct {
		name   string
		line   string
		inputs []Input
		want   []string
	}{
		{"nothing differs", "run [A] [B] [C]", []Input{in("a=1"), in("b?"), in("c=2,3")}, nil},
		{"spaces", "[A]", []Input{in("a=x y")}, []string{
			"a: a Cytomine server would split the value at its spaces",
			"a Cytomine server itself would run: --a x y"}},
		{"shell characters", "[A]", []Input{in("a=(1.515)")}, []string{
			"a: a Cytomine server hands the value to a shell, which would change it"}},
		{"doubled flag", "--a [A]", []Input{in("a=1")}, []string{"a Cytomine server itself would run: --a --a 1"}},
		{"key inside a key", "SVM SVM_C", []Input{in("svm=1", key("SVM")), in("svm_c=2", key("SVM_C"))}, []string{
			"a Cytomine server itself would run: --svm 1 --svm 1_C"}},
		{"dollar", "[A]", []Input{in("a=$1")}, []string{
			"a: a Cytomine server hands the value to a shell, which would change it",
			"a Cytomine server would fail: a: a dollar sign in the value makes it fail"}},
		{"backslash", "[A]", []Input{in(`a=c:\data`)}, []string{
			"a: a Cytomine server hands the value to a shell, which would change it",
			"a Cytomine server itself would run: --a c:data"}},
		{"another spelling", "run SIGMA", []Input{in("sigma=1", key("@SIGMA"))}, []string{
			`sigma: the command line spells its key "@SIGMA" as "SIGMA"; a Cytomine server would not replace it`,
			"a Cytomine server itself would run: run SIGMA"}},
		{"a key of nobody", "run [PARAMS]", []Input{in("a=$1")}, []string{
			`"[PARAMS]" in the command line belongs to no parameter and stays as it is`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Build(tt.line, tt.inputs).Notes; !slices.Equal(got, tt.want) {
				t.Errorf("notes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}
