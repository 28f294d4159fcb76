package filter

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 5, 10, 9, 30, 0, 0, time.UTC)

func record() *Record {
	return &Record{
		Text: "nuclei #12 failed ann cuda out of memory", State: "failed", By: "ann", Algorithm: "nuclei", Version: "1.2",
		Where: "here", ID: "20260509-220000-k7qd", Job: "4711", Group: "g-1", Note: "the good one", Error: "cuda out of memory",
		Tags: []string{"good", "paper-2"}, Mine: true, Star: true, Here: true,
		Created: now.Add(-12 * time.Hour), Ended: now.Add(-10 * time.Hour), Took: 2 * time.Hour, Progress: 40, Number: 12, Annotations: 250,
		Fields: []Field{
			{Kind: Parameter, Name: "sigma", Text: "2.5", Number: 2.5, IsNumber: true},
			{Kind: Parameter, Name: "method", Text: "otsu"},
			{Kind: Parameter, Name: "state", Text: "on"},
			{Kind: Parameter, Name: "learning rate", Text: "0.001", Number: 0.001, IsNumber: true},
			{Kind: Result, Name: "nucleus", Text: "240", Number: 240, IsNumber: true},
			{Kind: Result, Name: "nucleus.area", Text: "9000", Number: 9000, IsNumber: true},
		},
	}
}

func TestConditions(t *testing.T) {
	for query, want := range map[string]bool{
		"":                               true,
		"nuclei":                         true,
		"NUCLEI Memory":                  true,
		"nuclei stain":                   false,
		`"out of memory"`:                true,
		`"memory out"`:                   false,
		"-stain":                         true,
		"-cuda":                          false,
		"!cuda":                          false,
		"state:fail":                     true,
		"state=fail":                     false,
		"state=failed":                   true,
		"state:succeeded,failed":         true,
		"-state:failed":                  false,
		"state!=failed":                  false,
		"state!=succeeded":               true,
		"state:ended":                    true,
		"state:live":                     false,
		"by:me":                          true,
		"by:bob,me":                      true,
		"by:bob":                         false,
		"algorithm:nuc version:1":        true,
		"where:here":                     true,
		"error:cuda":                     true,
		"note:good":                      true,
		"group:g-1 is:grouped":           true,
		"tag:good":                       true,
		"tag:paper":                      true,
		"tag=paper":                      false,
		"tag:bad":                        false,
		"is:starred":                     true,
		"is:live":                        false,
		"is:old":                         false,
		"id:k7qd job:4711":               true,
		"since:13h":                      true,
		"since:11h":                      false,
		"since:1d12h":                    true,
		"since:today":                    false,
		"since:yesterday":                true,
		"since:2026-05-09":               true,
		"since:2026-05-09t22:00":         false,
		"before:today":                   true,
		"ended:11h":                      true,
		"ended:9h":                       false,
		"took>1h":                        true,
		"took>2h":                        false,
		"took>=2h":                       true,
		"took<7201":                      true,
		"took:1h..3h":                    true,
		"progress<50":                    true,
		"progress=40%":                   true,
		"number=12":                      true,
		"number:#12":                     true,
		"annotations>=250":               true,
		"sigma>2":                        true,
		"sigma>2.5":                      false,
		"sigma=2.50":                     true,
		"sigma:2.5":                      true,
		"sigma:2":                        false,
		"sigma:1,2.5":                    true,
		"sigma:2..3":                     true,
		"sigma:..2":                      false,
		"sigma!=2":                       true,
		"sigma>abc":                      false,
		"Sigma>=2.5e0":                   true,
		"method:ots":                     true,
		"method=ots":                     false,
		"method>2":                       false,
		"nosuch>1":                       false,
		"-nosuch>1":                      true,
		`"learning rate"<0.01`:           true,
		"nucleus>200 nucleus.area<10000": true,
		"nucleus*>5000":                  true,
		"param.state:on":                 true,
		"param.nucleus>1":                false,
		"result.nucleus>1":               true,
		"http://x":                       false,
		"sigma>":                         true, // somebody is typing
		"state:":                         true,
		`"cud`:                           true,
		"-5":                             false, // a number below zero is a word
		"@night":                         true,
		"-@night":                        false,
		"@night @mine":                   true,
	} {
		l := Language{Now: now, Typing: true, Saved: map[string]string{"night": "state:failed since:14h", "mine": "by:me -@stain", "stain": "stain"}}
		q, err := l.Parse(query)
		if err != nil {
			t.Errorf("%q: %v", query, err)
		}
		if got := q.Match(record()); got != want {
			t.Errorf("%q matches: %v", query, got)
		}
	}
}

func TestWhatCannotBeUnderstoodIsSaidAndLeftOut(t *testing.T) {
	l := Language{Now: now, Saved: map[string]string{"loop": "x @loop"}}
	for query, want := range map[string]string{
		"since:tomorrow":  "write 7d",
		"state>failed":    "state is text",
		"is:blue":         "starred",
		"took>long":       "no length of time",
		"sigma>":          "needs a value",
		"@none":           "no saved filter @none",
		"@loop":           "names itself",
		"annotations>few": "no number",
		"tag>a":           "after a colon",
		"since>7d":        "after a colon",
		"param.>1":        "no name",
	} {
		q, err := l.Parse(query + " nuclei")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", query, err, want)
		}
		if query != "@loop" && !q.Match(record()) {
			t.Errorf("%q: what is left must still match", query)
		}
	}
	if _, err := (Language{Now: now, Typing: true}).Parse("nuclei since:tom"); err != nil {
		t.Errorf("the end of what one types is no error yet: %v", err)
	}
	if _, err := (Language{Now: now, Typing: true}).Parse("since:tom nuclei"); err == nil {
		t.Error("what stands before the end is")
	}
}

func TestWhatAServerCanBeAsked(t *testing.T) {
	l := Language{Now: now}
	q, _ := l.Parse("state:failed,killed by:me since:2d before:1h sigma>2 -by:bob")
	if got := fmt.Sprint(q.Positive("state"), q.Positive("by"), q.Positive("where"), q.FieldNames(), q.NeedsFields()); got != "[failed killed] [me] [] [sigma] true" {
		t.Error(got)
	}
	after, before := q.Between()
	if !after.Equal(now.Add(-48*time.Hour)) || !before.Equal(now.Add(-time.Hour)) {
		t.Error(after, before)
	}
	if q, _ := l.Parse("-by:me"); q.Positive("by") != nil {
		t.Error("a condition turned around narrows nothing")
	}
}

func TestQuotedValuesAreReadBack(t *testing.T) {
	for _, v := range []string{"plain", "two words", "a,b", "1..5", ""} {
		q, err := Language{Now: now}.Parse("algorithm:" + Quote(v))
		if err != nil || v != "" && fmt.Sprint(q.Positive("algorithm")) != fmt.Sprint([]string{v}) {
			t.Errorf("%q: %q, %v", v, q.Positive("algorithm"), err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "a b", `"a b" c:"d e"`, "x>1..2", "-!x", `"`, "@a", ":::", "a:", "took>1h2", "since:9999999d", "=\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, typing := range []bool{false, true} {
			q, _ := Language{Now: now, Typing: typing, Saved: map[string]string{"a": s}}.Parse(s)
			q.Match(record())
			q.Match(&Record{})
			q.Between()
			q.Positive("state")
		}
	})
}

// BenchmarkMatch asks about 100,000 analyses.
func BenchmarkMatch(b *testing.B) {
	all := make([]Record, 100_000)
	for i := range all {
		r := record()
		r.Text += fmt.Sprint(" job ", i, " on the server for nobody in particular")
		r.Fields[0].Number = float64(i)
		all[i] = *r
	}
	for _, query := range []string{"particular", "state:failed", "sigma>50000", "nuclei state:failed sigma>2 by:me"} {
		b.Run(query, func(b *testing.B) {
			q, err := Language{Now: now}.Parse(query)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				n := 0
				for i := range all {
					if q.Match(&all[i]) {
						n++
					}
				}
			}
		})
	}
}
