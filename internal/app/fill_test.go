package app

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/forms"
)

// given makes values as a person sets them.
func given(pairs ...string) []client.Value {
	var vs []client.Value
	for i := 0; i < len(pairs); i += 2 {
		vs = append(vs, client.Value{Parameter: pairs[i], Text: pairs[i+1], Origin: client.FromUser})
	}
	return vs
}

func value(vs []client.Value, parameter string) client.Value {
	i := slices.IndexFunc(vs, func(v client.Value) bool { return v.Parameter == parameter })
	if i < 0 {
		return client.Value{Text: "(none)"}
	}
	return vs[i]
}

func TestValuesAreFilledFromDefaultsEarlierOnesAndNames(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	ids := map[string]string{}
	must(t, s.Options(tctx, parameter(a, "term"), func(os []client.Option) error {
		for _, o := range os {
			ids[OptionLabel(parameter(a, "term"), o)] = idText(o.ID)
		}
		return nil
	}))
	list := func(names ...string) string {
		var out []string
		for _, n := range names {
			out = append(out, ids[n])
		}
		return strings.Join(out, ",")
	}
	earlier := []client.Value{{Parameter: "sigma", Text: "3", Origin: client.FromAnalysis}, {Parameter: "method", Text: "manual", Origin: client.FromAnalysis}}
	for name, tt := range map[string]struct {
		prefill, set []client.Value
		parameter    string
		want         string
		origin       client.Origin
		labels       []string
	}{
		"a default":                       {nil, nil, "method", "otsu", client.FromDefault, nil},
		"an earlier value":                {earlier, nil, "method", "manual", client.FromAnalysis, nil},
		"what is set by hand wins":        {earlier, given("sigma", "5"), "sigma", "5", client.FromUser, nil},
		"the name in another case":        {nil, given("SIGMA", "5"), "sigma", "5", client.FromUser, nil},
		"one option by name":              {nil, given("term", "Nucleus"), "term", list("nucleus"), client.FromUser, []string{"nucleus"}},
		"options by name, with spaces":    {nil, given("terms", "nucleus , cell 2"), "terms", list("nucleus", "cell 2"), client.FromUser, []string{"nucleus", "cell 2"}},
		"names and ids together":          {nil, given("terms", "nucleus,"+ids["cell 2"]), "terms", list("nucleus", "cell 2"), client.FromUser, []string{"nucleus", "cell 2"}},
		"all options, in their order":     {nil, given("terms", "all"), "terms", list("cell 2", "cell 10", "nucleus"), client.FromUser, []string{"cell 2", "cell 10", "nucleus"}},
		"ids bring their names":           {nil, given("terms", ids["cell 2"]), "terms", ids["cell 2"], client.FromUser, []string{"cell 2"}},
		"an unknown one stays to be told": {nil, given("nosuch", "1"), "nosuch", "1", client.FromUser, nil},
	} {
		t.Run(name, func(t *testing.T) {
			vs, err := s.Fill(tctx, a, tt.prefill, tt.set)
			must(t, err)
			if got := value(vs, tt.parameter); got.Text != tt.want || got.Origin != tt.origin || !slices.Equal(got.Labels, tt.labels) {
				t.Errorf("%+v, want %q from %s %q", got, tt.want, tt.origin, tt.labels)
			}
		})
	}

	var problems forms.Problems
	if _, err := s.Fill(tctx, a, nil, given("terms", "nucleus,nosuch")); !errors.As(err, &problems) || !strings.Contains(err.Error(), `terms: no option "nosuch"`) {
		t.Errorf("an unknown option: %v", err)
	}
	if _, err := s.Fill(tctx, a, nil, given("terms", ids["nucleus"]+",99")); !errors.As(err, &problems) || !strings.Contains(err.Error(), `terms: no option "99"`) {
		t.Errorf("an unknown id: %v", err)
	}
	if _, err := s.Fill(tctx, a, nil, given("term", "all")); !errors.As(err, &problems) {
		t.Errorf("all for one option: %v", err)
	}
	s.RefreshOptions(parameter(a, "term"))
	s.web.Close()
	if vs, err := s.Fill(tctx, a, nil, given("term", "nucleus")); err != nil || value(vs, "term").Text != ids["nucleus"] {
		t.Errorf("by a name that the server told before it went: %v, %v", vs, err)
	}
	if vs, err := s.Fill(tctx, a, nil, given("term", "99")); err != nil || value(vs, "term").Text != "99" {
		t.Errorf("an id that an old list does not have may be new: %v, %v", vs, err)
	}
	never := a
	never.Parameters = slices.Clone(a.Parameters)
	for i := range never.Parameters {
		if p := &never.Parameters[i]; p.ID == "term" {
			p.URI = "/api/term.json"
		}
	}
	if _, err := s.Fill(tctx, never, nil, given("term", "nucleus")); !errors.Is(err, client.ErrUnreachable) || !strings.Contains(err.Error(), "give ids instead") {
		t.Errorf("by a name that nobody told: %v", err)
	}
	if vs, err := s.Fill(tctx, never, nil, given("term", "7")); err != nil || value(vs, "term").Text != "7" {
		t.Errorf("ids without the server: %v, %v", vs, err)
	}
}

func TestOptionNamesThatNeedCare(t *testing.T) {
	s := newSite(t)
	a := s.register(nuclei, "1.0")
	p := parameter(a, "terms")
	s.opts.uris[p.URI] = &optionList{done: true, changed: make(chan struct{}), options: []client.Option{
		{ID: 1, Fields: client.MakeFields(map[string]string{"name": "lung, left"})},
		{ID: 2, Fields: client.MakeFields(map[string]string{"name": "twin"})},
		{ID: 3, Fields: client.MakeFields(map[string]string{"name": "twin"})},
		{ID: 4, Fields: client.MakeFields(map[string]string{"name": "all"})},
	}}
	vs, err := s.Fill(tctx, a, nil, given("terms", "Lung, left"))
	if err != nil || value(vs, "terms").Text != "1" {
		t.Errorf("a name with a comma: %v, %v", vs, err)
	}
	vs, err = s.Fill(tctx, a, nil, given("terms", "all"))
	if err != nil || value(vs, "terms").Text != "4" {
		t.Errorf("an option named all: %v, %v", vs, err)
	}
	var problems forms.Problems
	if _, err := s.Fill(tctx, a, nil, given("terms", "twin")); !errors.As(err, &problems) || !strings.Contains(err.Error(), "by its id: 2, 3") {
		t.Errorf("two of one name: %v", err)
	}
}

func TestFlagsOfTheAlgorithmsOwnCommandLine(t *testing.T) {
	d, findings := descriptor.Parse("nuclei.json", []byte(nuclei))
	if d == nil {
		t.Fatal(findings)
	}
	a := client.Algorithm{Name: "Nuclei"}
	for _, p := range d.Parameters {
		a.Parameters = append(a.Parameters, client.Parameter{Parameter: p})
	}
	for words, want := range map[string]string{
		"":                        "",
		"--sigma 2":               "sigma=2",
		"--sigma=2":               "sigma=2",
		"--sigma -1e-3":           "sigma=-1e-3",
		"--method=a=b":            "method=a=b",
		"--method= otsu":          "method=otsu",
		"--sigma 1 --sigma 2":     "sigma=1 sigma=2",
		"--sigma":                 "error: flag --sigma of Nuclei needs a value",
		"--nosuch 1":              `error: Nuclei has no flag "--nosuch"`,
		"2":                       `error: Nuclei has no flag "2"`,
		"--cytomine_host x":       `error: Nuclei has no flag "--cytomine_host"`,
		"--cytomine_private_key=": `error: Nuclei has no flag "--cytomine_private_key="`,
	} {
		vs, err := FlagValues(a, strings.Fields(words))
		var got []string
		for _, v := range vs {
			got = append(got, v.Parameter+"="+v.Text)
		}
		text := strings.Join(got, " ")
		if err != nil {
			text = "error: " + err.Error()
		}
		if text != want && !(strings.HasPrefix(want, "error: ") && strings.HasPrefix(text, want)) {
			t.Errorf("%q gives %q, want %q", words, text, want)
		}
	}
}
