package main

import (
	"strings"
	"testing"
)

const events = `# example.org/broken
{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"    a_test.go:3: chatter\n"}
{"Action":"pass","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"=== RUN   TestBad\n"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"    a_test.go:9: got 1, want 2\n"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"--- FAIL: TestBad (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestUser/as_root","Output":"=== RUN   TestUser/as_root\n"}
{"Action":"output","Package":"p","Test":"TestUser/as_root","Output":"    a_test.go:12: needs another user: run as root\n"}
{"Action":"output","Package":"p","Test":"TestUser/as_root","Output":"--- SKIP: TestUser/as_root (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestUser/as_root"}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.002s\n"}
{"Action":"fail","Package":"p"}
{"Action":"output","Package":"q","Output":"PASS\n"}
{"Action":"output","Package":"q","Output":"ok  \tq\t0.001s\n"}
{"Action":"pass","Package":"q"}
{"Action":"output","Package":"r","Output":"?   \tr\t[no test files]\n"}
{"Action":"skip","Package":"r"}
{"Action":"build-output","ImportPath":"s","Output":"s.go:1: undefined: x\n"}
{"Action":"output","Package":"t","Test":"TestDied","Output":"panic: at once\n"}
`

func TestShow(t *testing.T) {
	var out, skips strings.Builder
	if err := show(strings.NewReader(events), &out, &skips); err != nil {
		t.Fatal(err)
	}
	want := "# example.org/broken\n" +
		"    a_test.go:9: got 1, want 2\n--- FAIL: TestBad (0.00s)\nFAIL\nFAIL\tp\t0.002s\n" +
		"ok  \tq\t0.001s\n?   \tr\t[no test files]\ns.go:1: undefined: x\npanic: at once\n"
	if out.String() != want {
		t.Errorf("shown\n%s\nwant\n%s", out.String(), want)
	}
	if want := "p TestUser/as_root: needs another user: run as root\n"; skips.String() != want {
		t.Errorf("skips %q, want %q", skips.String(), want)
	}
}
