package client_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/cytorun/cytorun/client"
)

func TestFieldsGiveBackWhatWasPacked(t *testing.T) {
	var p client.FieldPacker
	rows := []map[string]string{
		{"name": "a", "width": "10"},
		{},
		{"name": "a", "width": "", "": "no name", "long": strings.Repeat("é", 5000)},
		{"name": "name", "x": "\x00\xff"},
	}
	var all []client.Fields
	for _, row := range rows {
		for name, value := range row {
			p.Add([]byte(name), []byte(value))
		}
		all = append(all, p.Fields())
	}
	for i, row := range rows {
		if !maps.Equal(all[i].Map(), row) {
			t.Errorf("row %d is %v", i, all[i].Map())
		}
	}
	if _, ok := all[0].Lookup("x"); ok || all[0].Get("x") != "" {
		t.Error("an attribute of another option")
	}
	if v, ok := all[2].Lookup("width"); !ok || v != "" {
		t.Error("an empty attribute is one")
	}
}

func TestOfANameGivenTwiceTheLastCounts(t *testing.T) {
	var p client.FieldPacker
	p.Add([]byte("a"), []byte("1"))
	p.Add([]byte("a"), []byte("2"))
	if f := p.Fields(); f.Get("a") != "2" || len(f.Map()) != 1 {
		t.Errorf("%v", f.Map())
	}
}

func TestManyOptionsShareOnlySoMuch(t *testing.T) {
	var p client.FieldPacker
	for i := range 20_000 {
		p.Add([]byte("id"), []byte(fmt.Sprint(i)))
		p.Add([]byte("class"), []byte("image"))
		if f := p.Fields(); f.Get("id") != fmt.Sprint(i) || f.Get("class") != "image" {
			t.Fatalf("option %d is %v", i, f.Map())
		}
	}
}

func FuzzFields(f *testing.F) {
	f.Add("a=1;b=2;a=3")
	f.Fuzz(func(t *testing.T, s string) {
		want := map[string]string{}
		var p client.FieldPacker
		for _, pair := range strings.Split(s, ";") {
			name, value, _ := strings.Cut(pair, "=")
			p.Add([]byte(name), []byte(value))
			want[name] = value
		}
		if got := p.Fields().Map(); !maps.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
