package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/internal/app"
)

// TestFieldsAreDocumented compares what --json prints with docs/JSON.md.
func TestFieldsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "JSON.md"))
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, w := range regexp.MustCompile(`[a-z0-9_]+`).FindAllString(string(doc), -1) {
		words[w] = true
	}
	seen := map[reflect.Type]bool{}
	var check func(reflect.Type)
	check = func(of reflect.Type) {
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			check(of.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[of] || of == reflect.TypeFor[time.Time]() {
			return
		}
		seen[of] = true
		for i := range of.NumField() {
			f := of.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case f.Anonymous:
			case !f.IsExported():
				continue // nobody prints it
			case name == "" || name == "-":
				t.Errorf("%s.%s has no name in JSON", of, f.Name)
			case !words[name]:
				t.Errorf("%s.%s is printed as %q, which docs/JSON.md does not have", of, f.Name, name)
			}
			check(f.Type)
		}
	}
	for _, of := range []reflect.Type{
		reflect.TypeFor[algorithmJSON](), reflect.TypeFor[analysisJSON](), reflect.TypeFor[app.Receipt](), reflect.TypeFor[resultsJSON](),
		reflect.TypeFor[prunedJSON](), reflect.TypeFor[checkJSON](), reflect.TypeFor[machineJSON](), reflect.TypeFor[profileJSON](),
	} {
		check(of)
	}
}
