package main

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

func svg(t *testing.T, in string, args ...string) string {
	t.Helper()
	var out strings.Builder
	if err := run(args, strings.NewReader(in), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(out.String())); ; {
		if _, err := d.Token(); err == io.EOF {
			return out.String()
		} else if err != nil {
			t.Fatalf("not XML: %v\n%s", err, out.String())
		}
	}
}

func TestScreenBecomesSVG(t *testing.T) {
	got := svg(t, "plain \x1b[1;31mbold red\x1b[0m\n\x1b[48;5;21m256\x1b[0m\x1b[38;2;1;2;3mtrue\x1b[0m <&>\n\x1b[7mreversed\x1b[0m │ \x1b[4mline\x1b[0m\n", "-size", "30x3", "-title", "a <b>")
	for _, want := range []string{
		">plain </text>",
		`font-weight="bold">bold red</text>`,
		`fill="#0000ff"/>`, // colour 21 as a background
		`fill="#010203">true</text>`,
		"&lt;&amp;&gt;",
		`fill="` + dark.background + `">reversed</text>`,
		">│</text>",
		`text-decoration="underline">line</text>`,
		"<title>a &lt;b&gt;</title>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestLastLineDoesNotScrollTheFirstAway(t *testing.T) {
	if got := svg(t, "first\nlast\n", "-size", "10x2"); !strings.Contains(got, "first") || !strings.Contains(got, "last") {
		t.Error(got)
	}
}

func TestWhatAProgramWroteIsPlayed(t *testing.T) {
	got := svg(t, "\x1b[?1049h\x1b[2J\x1b[1;1Hold\r\n\x1b[6n\x1b[1;1Hnew", "-size", "10x2")
	if strings.Contains(got, "old") || !strings.Contains(got, "new") {
		t.Error(got)
	}
}

func TestBadSizeIsRefused(t *testing.T) {
	for _, size := range []string{"", "80", "0x5", "-1x5", "9999x9999", "axb"} {
		if err := run([]string{"-size", size}, strings.NewReader(""), io.Discard, io.Discard); err == nil {
			t.Errorf("size %q was accepted", size)
		}
	}
}

func TestOddBytesStayInsideThePicture(t *testing.T) {
	for _, in := range []string{"", "\x00\xff\x1b", "\x1b[999;999H\x1b]8;;x\x07e\u0301\U0001f9ec", "宽宽宽宽宽宽", "\x1b[38;5;999mx\x1b[99999999m"} {
		svg(t, in, "-size", "5x2")
	}
}
