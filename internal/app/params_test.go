package app

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/forms"
	"github.com/cytorun/cytorun/runner"
)

// shown is values in a line: name=text(origin).
func shown(vs []client.Value) string {
	var out []string
	for _, v := range vs {
		out = append(out, v.Parameter+"="+v.Text+"("+string(v.Origin)+")")
	}
	return strings.Join(out, " ")
}

func TestValuesAreChosenFromTheWeakestToTheStrongest(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	file := filepath.Join(t.TempDir(), "p.toml")
	must(t, os.WriteFile(file, []byte("sigma = 3\nmethod = \"from file\"\n"), 0o600))
	_, err := s.Env.SavePreset(a, "fast", []client.Value{{Parameter: "sigma", Text: "2", Origin: client.FromUser}, {Parameter: "method", Text: "", Origin: client.FromUser}, {Parameter: "term", Text: "7", Origin: client.FromDefault}})
	must(t, err)
	earlier := []client.Value{{Parameter: "sigma", Text: "1", Origin: client.FromAnalysis}, {Parameter: "terms", Text: "8", Origin: client.FromAnalysis}, {Parameter: "gone", Text: "1", Origin: client.FromAnalysis}}
	for _, tt := range []struct {
		name string
		c    Choices
		want string
	}{
		{"an analysis", Choices{Earlier: earlier}, "sigma=1(analysis) method=otsu(default) terms=8(analysis)"},
		{"a preset over it", Choices{Earlier: earlier, Preset: "fast"}, "sigma=2(preset) method=(preset) terms=8(analysis)"},
		{"a file over that", Choices{Earlier: earlier, Preset: "fast", File: file}, "sigma=3(file) method=from file(file) terms=8(analysis)"},
		{"by hand over that", Choices{File: file, Set: given("SIGMA", "4")}, "sigma=4(you) method=from file(file)"},
		{"flags over that", Choices{Set: given("sigma", "4"), Flags: []string{"--sigma", "5", "--method=x"}}, "sigma=5(you) method=x(you)"},
	} {
		chosen, err := s.Choose(tctx, a, tt.c)
		if got := shown(chosen.Values); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.name, got, err, tt.want)
		}
	}
}

func TestEverythingThatIsWrongIsSaidAtOnceWithItsPlace(t *testing.T) {
	s := newSite(t)
	a := s.register(strings.Replace(nuclei, `"type": "Number"`, `"type": "Number", "maximum": 10`, 1), "1.0")
	dir := t.TempDir()
	must(t, os.MkdirAll(s.Env.DescriptorFolder(), 0o700))
	must(t, os.WriteFile(filepath.Join(s.Env.DescriptorFolder(), "n.json"), []byte(strings.Replace(nuclei, `"type": "Number"`, `"type": "Number", "maximum": 10`, 1)), 0o600))
	a, err := s.algorithm(tctx, a.ID)
	must(t, err)
	file := filepath.Join(dir, "p.toml")
	must(t, os.WriteFile(file, []byte("# x\nsigma = 11\nsigmo = 1\nmethod = oops\nterm = \"nosuch\"\n"), 0o600))
	_, err = s.Choose(tctx, a, Choices{
		File: file, Set: given("terms", "nucleus,nosuch,other", "nope", "1", "terms", "1"), Flags: []string{"--nosuch"},
		Sweeps: []string{"method", "nosweep=1,2", "sigma=1..x"},
	})
	var problems forms.Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	for _, want := range []string{
		"p.toml:3:1: sigmo: no such parameter; did you mean sigma?", "p.toml:4:10: method: \"oops\" is no number", `Nuclei has no flag "--nosuch"`,
		`terms: is given twice`, `nope: no such parameter`, `p.toml:5:1: term: no option "nosuch"`, `nosweep: no such parameter`, `sigma: "1..x" is no range`, "method: a sweep needs values",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not said: %s\nsaid: %v", want, err)
		}
	}
	_, err = s.Choose(tctx, a, Choices{File: file + ".gone"})
	if !errors.Is(err, client.ErrNotFound) {
		t.Errorf("no file: %v", err)
	}
	_, err = s.Choose(tctx, a, Choices{Preset: "gone"})
	if !errors.Is(err, client.ErrNotFound) || !strings.Contains(err.Error(), "there are none") {
		t.Errorf("no preset: %v", err)
	}
}

func TestAPresetIsAFileThatCanBeSharedAndMended(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	a.Name = "../S Nuclei/2"
	p, err := s.Env.SavePreset(a, "cohort-a", []client.Value{{Parameter: "sigma", Text: "2.5", Origin: client.FromUser}, {Parameter: "terms", Text: "7,8", Origin: client.FromUser, Labels: []string{"nucleus", "cell"}}})
	must(t, err)
	if !strings.HasPrefix(p.Path, filepath.Join(s.Env.Paths.Data, "presets")+"/") || strings.Count(p.Path[len(s.Env.Paths.Data):], "/") != 3 {
		t.Errorf("it lies in %s", p.Path)
	}
	if info, err := os.Stat(p.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	all, err := s.Env.Presets(a.Name)
	if err != nil || len(all) != 1 || all[0].Name != "cohort-a" || all[0].Algorithm != a.Name {
		t.Errorf("listed %+v, %v", all, err)
	}
	shared := filepath.Join(filepath.Dir(p.Path), "theirs.toml")
	data, err := os.ReadFile(p.Path)
	must(t, err)
	must(t, os.WriteFile(shared, append(data, "sigmo = \n"...), 0o600))
	var problems forms.Problems
	if _, err := s.Env.Preset(a.Name, "theirs"); !errors.As(err, &problems) || !strings.Contains(err.Error(), "theirs.toml:") {
		t.Errorf("a broken one: %v", err)
	}
	if got, err := s.Env.Preset(a.Name, "cohort-a"); err != nil || shown(got.Values) != "terms=7,8(preset) sigma=2.5(preset)" && shown(got.Values) != "sigma=2.5(preset) terms=7,8(preset)" {
		t.Errorf("read %v, %v", shown(got.Values), err)
	}
	must(t, s.Env.DeletePreset(a.Name, "theirs"))
	if err := s.Env.DeletePreset(a.Name, "theirs"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	for _, name := range []string{"", "../x", ".hidden", "a/b", strings.Repeat("x", 65), "\x1b[31m"} {
		if _, err := s.Env.SavePreset(a, name, given("sigma", "1")); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	if _, err := s.Env.SavePreset(a, "empty", []client.Value{{Parameter: "method", Text: "otsu", Origin: client.FromDefault}}); err == nil {
		t.Error("a preset of defaults only")
	}
}

func TestASelectionStandsForItsOptions(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	p := parameter(a, "terms")
	must(t, s.SaveOptionSet(OptionSet{Name: "@cells", URI: p.URI, IDs: []string{"11", "12"}, Labels: []string{"cell 2", "cell 10"}}))
	must(t, s.SaveOptionSet(OptionSet{Name: "more", URI: "/api/other.json", IDs: []string{"12", "13"}}))
	s.web.Close() // ids need no server
	for text, want := range map[string]string{"@cells": "11,12", "@cells,@more": "11,12,13", "5, @more": "5,12,13"} {
		chosen, err := s.Choose(tctx, a, Choices{Set: given("sigma", "1", "terms", text)})
		if err != nil || value(chosen.Values, "terms").Text != want {
			t.Errorf("%s: %v, %v", text, chosen.Values, err)
		}
		if labels := value(chosen.Values, "terms").Labels; text == "@cells" && !slices.Equal(labels, []string{"cell 2", "cell 10"}) {
			t.Errorf("names are %q", labels)
		}
	}
	_, err := s.Choose(tctx, a, Choices{Set: given("sigma", "1", "terms", "@nosuch")})
	if err == nil || !strings.Contains(err.Error(), "terms: no selection @nosuch in project Lung cohort") || !strings.Contains(err.Error(), "there are @cells, @more") {
		t.Errorf("%v", err)
	}
	if of, err := s.OptionSets(p.URI); err != nil || len(of) != 1 || of[0].Name != "cells" {
		t.Errorf("those of the list: %v, %v", of, err)
	}
	other := *s.Session
	other.Project.ID = 1
	if _, err := other.OptionSet("cells"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("in another project: %v", err)
	}
	must(t, s.DeleteOptionSet("@cells"))
	if err := s.DeleteOptionSet("cells"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	if err := s.SaveOptionSet(OptionSet{Name: "none"}); err == nil {
		t.Error("an empty selection")
	}
}

func TestSweepsAreChosenByNamesOfOptionsToo(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	chosen, err := s.Choose(tctx, a, Choices{Sweeps: []string{"sigma=1..2step0.5", "term=nucleus, cell 2"}})
	must(t, err)
	requests, err := chosen.Requests(LaunchRequest{Algorithm: a, Group: "g"})
	must(t, err)
	if len(requests) != 6 || requests[0].Group != "g" || value(requests[5].Values, "sigma").Text != "2" || value(requests[5].Values, "term").Labels[0] != "cell 2" {
		t.Errorf("%d: %+v", len(requests), requests)
	}
	if d := chosen.Describe(); d != "sigma 1, 1.5, 2; term nucleus, cell 2" {
		t.Errorf("%s", d)
	}
	chosen, err = s.Choose(tctx, a, Choices{Set: given("sigma", "1"), Sweeps: []string{"term=all"}})
	if err != nil || len(chosen.Sweeps) != 1 || len(chosen.Sweeps[0].Values) != 3 {
		t.Errorf("all: %+v, %v", chosen, err)
	}
	for _, tt := range []struct {
		sweeps []string
		zip    bool
		want   string
	}{
		{[]string{"sigma=1..3", "term=all"}, true, ""},
		{[]string{"sigma=1..4", "term=all"}, true, "equally many"},
		{[]string{"sigma=1..9999", "term=all"}, false, "at most 10000"},
		{[]string{"sigma=1,2", "sigma=3"}, false, "swept twice"},
		{[]string{"terms=1,2"}, false, "cannot be swept"},
		{[]string{"term=nosuch"}, false, "no option"},
		{[]string{"sigma=1,x"}, false, "not a number"},
		{[]string{"term=1,2"}, false, "sigma: is required"},
	} {
		chosen, err := s.Choose(tctx, a, Choices{Sweeps: tt.sweeps, Zip: tt.zip})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%v: %v", tt.sweeps, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%v: %v, want %s", tt.sweeps, err, tt.want)
		case tt.want == "":
			if rs, err := chosen.Requests(LaunchRequest{Algorithm: a}); err != nil || len(rs) != 3 {
				t.Errorf("%v: %d, %v", tt.sweeps, len(rs), err)
			}
		}
	}
}

func TestValuesOfAWholeAlgorithmAreWrittenAndReadAgain(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	var b bytes.Buffer
	must(t, WriteParameters(&b, a, nil, map[string][]string{"term": {"7 is nucleus"}}))
	for _, want := range []string{"run Nuclei --params FILE", "# 7 is nucleus", "sigma = \"\"", "method = \"otsu\""} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	file := filepath.Join(t.TempDir(), "p.toml")
	must(t, os.WriteFile(file, bytes.Replace(b.Bytes(), []byte(`sigma = ""`), []byte("sigma = 1e-3"), 1), 0o600))
	chosen, err := s.Choose(tctx, a, Choices{File: file})
	if err != nil || shown(chosen.Values) != "sigma=0.001(file) method=otsu(file)" {
		t.Errorf("%s, %v", shown(chosen.Values), err)
	}
}

// edit runs a shell script as the person's editor.
func edit(t *testing.T, d *Edit, script string) (EditOutcome, error) {
	t.Helper()
	t.Setenv("VISUAL", "")
	t.Setenv("EDITOR", "sh -ec '"+script+"' editor")
	name, args, err := d.Editor()
	must(t, err)
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return d.Finish()
}

func TestValuesAreEditedAndBadEditsComeBackWithTheErrorAtTheLine(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	before := []client.Value{
		{Parameter: "sigma", Text: "2", Origin: client.FromAnalysis}, {Parameter: "method", Text: "otsu", Origin: client.FromDefault},
		{Parameter: "terms", Text: "7,8", Origin: client.FromUser, Labels: []string{"nucleus", "cell"}},
	}
	d, err := s.Env.StartEdit(a, before, nil)
	must(t, err)
	if info, err := os.Stat(d.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	read := func() string {
		data, err := os.ReadFile(d.Path)
		must(t, err)
		return string(data)
	}
	// A mistake of the file, and one of a value.
	outcome, err := edit(t, d, `sed -i "s/^sigma = 2/sigma = two/; s/^method.*/methud = 1/" "$1"`)
	if err != nil || !outcome.Again || len(outcome.Problems) != 1 {
		t.Fatalf("%+v, %v", outcome, err)
	}
	if !strings.Contains(read(), "#!! sigma: \"two\" is no number and no date; text needs quotes: \"…\"\nsigma = two\n") {
		t.Errorf("the file is\n%s", read())
	}
	outcome, err = edit(t, d, `sed -i "s/^sigma = .*/sigma = 3/" "$1"`)
	if err != nil || !outcome.Again || strings.Contains(read(), "#!! sigma") || !strings.Contains(read(), "#!! methud: no such parameter; did you mean method?\nmethud = 1\n") {
		t.Fatalf("%+v, %v\n%s", outcome, err, read())
	}
	// Leaving the editor without a change keeps what is there, problems and all.
	outcome, err = edit(t, d, `true`)
	if err != nil || outcome.Again || len(outcome.Problems) != 1 || shown(outcome.Values) != "sigma=3(you) methud=1(you) terms=7,8(you)" &&
		shown(outcome.Values) != "sigma=3(you) terms=7,8(you) methud=1(you)" {
		t.Errorf("%+v, %v", outcome, err)
	}
	if !slices.Equal(value(outcome.Values, "terms").Labels, []string{"nucleus", "cell"}) {
		t.Errorf("the names are lost: %+v", outcome.Values)
	}
	if _, err := os.Stat(d.Path); !os.IsNotExist(err) {
		t.Error("the file is still there")
	}

	// What was not touched keeps its origin.
	d, err = s.Env.StartEdit(a, before, nil)
	must(t, err)
	outcome, err = edit(t, d, `sed -i "s/^method.*/method = \"\"/" "$1"`)
	if err != nil || shown(outcome.Values) != "sigma=2(analysis) method=(you) terms=7,8(you)" {
		t.Errorf("%s, %v", shown(outcome.Values), err)
	}

	// A file that cannot be read at all is kept.
	d, err = s.Env.StartEdit(a, before, nil)
	must(t, err)
	outcome, err = edit(t, d, `echo "x = [" >>"$1"`)
	if err != nil || !outcome.Again {
		t.Fatalf("%+v, %v", outcome, err)
	}
	if _, err = edit(t, d, `true`); err == nil || !strings.Contains(err.Error(), d.Path) {
		t.Errorf("%v", err)
	}
	if !strings.Contains(read(), "x = [\n") {
		t.Error("what was written is lost")
	}
	d.Discard()
}

func TestTheEditorIsTheOneThatThePersonNamed(t *testing.T) {
	env := map[string]string{"EDITOR": "ed --x"}
	get := func(name string) string { return env[name] }
	if name, args, err := editor(get, "/a b"); err != nil || name != "sh" || args[1] != `ed --x "$1"` || args[3] != "/a b" {
		t.Errorf("%s %q %v", name, args, err)
	}
	env["VISUAL"] = "vis"
	if _, args, _ := editor(get, "/x"); args[1] != `vis "$1"` {
		t.Errorf("%q", args)
	}
	t.Setenv("PATH", t.TempDir())
	if _, _, err := editor(func(string) string { return "" }, "/x"); err == nil || !strings.Contains(err.Error(), "EDITOR=") {
		t.Errorf("%v", err)
	}
}

func TestLastUsedAreTheValuesOfTheNewestRun(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	if _, _, ok := s.LastUsed(a.Name); ok {
		t.Error("used before it ran")
	}
	s.run(a, runner.Succeeded, nil, client.Value{Parameter: "sigma", Text: "1", Origin: client.FromUser})
	s.run(a, runner.Failed, nil, client.Value{Parameter: "sigma", Text: "2", Origin: client.FromPreset}, client.Value{Parameter: "method", Text: "otsu", Origin: client.FromDefault})
	values, at, ok := s.LastUsed(a.Name)
	if !ok || at.IsZero() || !strings.HasPrefix(shown(values), "sigma=") || len(values) == 0 {
		t.Errorf("%s, %v, %v", shown(values), at, ok)
	}
}
