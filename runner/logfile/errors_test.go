package logfile

import (
	"bytes"
	"strings"
	"testing"
)

func allErrors(t *testing.T, s string) []Error {
	t.Helper()
	var out []Error
	if _, err := scanErrors(strings.NewReader(s), 0, int64(len(s)), func(e Error) bool { out = append(out, e); return true }); err != nil {
		t.Fatal(err)
	}
	return out
}

const traceback = `Traceback (most recent call last):
  File "/app/run.py", line 12, in <module>
    main()
    ~~~~^^
  File "/app/run.py", line 7, in main
    return int("x")

ValueError: invalid literal for int() with base 10: 'x'
`

func TestErrorsOfEachKind(t *testing.T) {
	for _, c := range []struct {
		name, log string
		kind      Kind
		text      string
		tail      string // what is not part of the error
	}{
		{"a Python traceback is one error", traceback, Python, "ValueError: invalid literal for int() with base 10: 'x'", "done\n"},
		{"a chain of exceptions is one error", traceback + "\nDuring handling of the above exception, another exception occurred:\n\n" + strings.Replace(traceback, "ValueError: invalid", "KeyError: invalid", 1),
			Python, "KeyError: invalid literal for int() with base 10: 'x'", "done\n"},
		{"a traceback of one rank", "[rank1]: Traceback (most recent call last):\n[rank1]:   File \"a.py\", line 1\n[rank1]:     x()\n[rank1]: RuntimeError: boom\n", Python, "RuntimeError: boom", "other\n"},
		{"a traceback with lines of one name", "Traceback (most recent call last):\n  File \"a\"\nKeyboardInterrupt\n", Python, "KeyboardInterrupt", "x\n"},
		{"memory of the GPU", "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n", CUDA, "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", "x\n"},
		{"Java with causes", "Exception in thread \"main\" java.lang.RuntimeException: a\n\tat org.x.Y.z(Y.java:3)\n\t... 2 more\nCaused by: java.io.IOException: disk\n\tat org.x.Y.w(Y.java:9)\n", Java, "Caused by: java.io.IOException: disk", "end\n"},
		{"a Go panic", "panic: runtime error: index out of range [3] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n\t/x/main.go:5 +0x1d\nexit status 2\n", Go, "panic: runtime error: index out of range [3] with length 3", "end\n"},
		{"Slurm's time limit", "slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-11-20T14:00:00 DUE TO TIME LIMIT ***\n", Slurm, "slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-11-20T14:00:00 DUE TO TIME LIMIT ***", "x\n"},
		{"a shell without the command", "run.sh: line 3: vips: command not found\n", Shell, "run.sh: line 3: vips: command not found", "x\n"},
		{"a shell's killed child", "run.sh: line 3:  4242 Killed                  python train.py\n", Shell, "run.sh: line 3:  4242 Killed                  python train.py", "x\n"},
		{"killed", "Killed\n", Shell, "Killed", "x\n"},
		{"a crash", "Segmentation fault (core dumped)\n", Shell, "Segmentation fault (core dumped)", "x\n"},
		{"the container itself", "FATAL:   container creation failed: mount error\n", Container, "FATAL:   container creation failed: mount error", "x\n"},
		{"a logger", "2026-11-20 14:00:01,123 - run - ERROR - no annotations\n", Other, "2026-11-20 14:00:01,123 - run - ERROR - no annotations", "x\n"},
		{"a coloured one", "\x1b[31mERROR\x1b[0m: no annotations\n", Other, "ERROR: no annotations", "x\n"},
		{"one behind a progress bar", " 10%|#   |\r 20%|##  |\rValueError: bad tile\n", Python, "ValueError: bad tile", "x\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := allErrors(t, "start\n"+c.log+c.tail)
			if len(got) != 1 {
				t.Fatalf("found %d errors: %+v", len(got), got)
			}
			e := got[0]
			if e.Kind != c.kind || e.Text != c.text {
				t.Errorf("got %s %q, want %s %q", e.Kind, e.Text, c.kind, c.text)
			}
			if want := int64(6); e.Offset != want {
				t.Errorf("starts at %d, want %d", e.Offset, want)
			}
			if want := int64(6 + len(c.log)); e.End != want {
				t.Errorf("ends at %d, want %d", e.End, want)
			}
		})
	}
}

func TestHarmlessLinesAreNoErrors(t *testing.T) {
	for _, l := range []string{
		"0 errors, 2 warnings", "mean squared error: 0.03", "val_error=0.1", "Error rate 3%", "no ERRORS_FOUND", "loading ErrorMap.csv",
		"killed_jobs: 0", "found 3 nuclei, 2 not found in mask", "FATAL=0", "Traceback level set to 3",
	} {
		if got := allErrors(t, l+"\n"); len(got) > 0 {
			t.Errorf("%q is taken for %+v", l, got)
		}
	}
}

func TestFirstErrorTellsWhyTheProgramEnded(t *testing.T) {
	noise := strings.Repeat("tile done, 12 objects\n", 1000)
	for _, c := range []struct{ name, log, want string }{
		{"nothing", noise, ""},
		{"the uncaught exception, not what was logged before", "ERROR: retrying\n" + noise + traceback, "ValueError: invalid literal for int() with base 10: 'x'"},
		{"the last of several exceptions", traceback + noise + strings.Replace(traceback, "ValueError", "TypeError", 1), "TypeError: invalid literal for int() with base 10: 'x'"},
		{"not what Python ignores at its end", traceback + "Exception ignored in: <function A.__del__ at 0x7f>\n" + strings.Replace(traceback, "ValueError", "AttributeError", 1), "ValueError: invalid literal for int() with base 10: 'x'"},
		{"the first logged error when nothing else is there", noise + "ERROR: first\n" + noise + "ERROR: second\n", "ERROR: first"},
		{"killed, without a line break", noise + "Killed", "Killed"},
		{"a traceback that was cut off", "Traceback (most recent call last):\n  File \"a\"\n", "Traceback (most recent call last):"},
		{"hostile text is made safe", "ERROR: \x1b]0;x\x07\u202ebad\n", "ERROR: \ufffdbad"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := FirstError(strings.NewReader(c.log), int64(len(c.log)))
			if got != c.want || ok != (c.want != "") {
				t.Errorf("got %q, %v, want %q", got, ok, c.want)
			}
		})
	}
}

func TestScanResumesWhereAnErrorMayGrow(t *testing.T) {
	log := "start\n" + traceback + "end\nKilled"
	for cut := 1; cut < len(log); cut++ {
		var got []Error
		emit := func(e Error) bool { got = append(got, e); return true }
		resume, err := scanErrors(strings.NewReader(log[:cut]), 0, int64(cut), emit)
		if err != nil {
			t.Fatal(err)
		}
		for len(got) > 0 && got[len(got)-1].End > resume {
			got = got[:len(got)-1]
		}
		if _, err := scanErrors(strings.NewReader(log), resume, int64(len(log)), emit); err != nil {
			t.Fatal(err)
		}
		if len(got) != 2 || got[0].Offset != 6 || got[0].Kind != Python || got[1].Text != "Killed" {
			t.Fatalf("cut at %d, resumed at %d: %+v", cut, resume, got)
		}
	}
}

func TestErrorAcrossBlocks(t *testing.T) {
	for shift := -3; shift <= len(traceback); shift += 7 {
		pad := strings.Repeat("x\n", (int(block)-shift)/2)
		log := pad + traceback + "end\n"
		got := allErrors(t, log)
		if len(got) != 1 || got[0].Offset != int64(len(pad)) || got[0].End != int64(len(pad)+len(traceback)) {
			t.Fatalf("shift %d: %+v", shift, got)
		}
	}
}

func TestLastLine(t *testing.T) {
	for in, want := range map[string]string{
		"a\nb\n\n":              "b",
		"a\n 10%\r 20%\r":       "20%",
		"a\r\n":                 "a",
		"\x1b[31mred\x1b[0m\n ": "red",
		"":                      "",
		"\r\r\n":                "",
	} {
		if got, _ := LastLine(strings.NewReader(in), int64(len(in))); got != want {
			t.Errorf("LastLine(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzErrors(f *testing.F) {
	f.Add([]byte(traceback))
	f.Add([]byte("\r\r\x1b[A\x00\xff\nERROR: x"))
	f.Add([]byte("Exception in thread \"x\"\n\tat y\nCaused by: z\n"))
	f.Add([]byte("panic: x\n\ngoroutine 1 [running]:\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		last := int64(-1)
		size := int64(len(b))
		resume, err := scanErrors(bytes.NewReader(b), 0, size, func(e Error) bool {
			if e.Offset < last || e.End <= e.Offset || e.End > size {
				t.Fatalf("%+v after %d of %d", e, last, size)
			}
			last = e.End
			return true
		})
		if err != nil || resume < 0 || resume > size {
			t.Fatalf("resume %d, %v", resume, err)
		}
		FirstError(bytes.NewReader(b), size)
		LastLine(bytes.NewReader(b), size)
	})
}

func TestTimesBeforeALineAreLeftOut(t *testing.T) {
	for line, want := range map[string]string{
		"14:52:17.723 WARNING: failing":                "WARNING: failing",
		"2024-01-01 12:00:00,123 - root - ERROR - bad": "root - ERROR - bad",
		"[2024-01-01T12:00:00Z] ERROR bad":             "ERROR bad",
		"ValueError: bad threshold":                    "ValueError: bad threshold",
		"12:00 Traceback":                              "Traceback",
		"3: bad":                                       "bad",
		"-1 is not a number":                           "-1 is not a number",
		"":                                             "",
		"12:00:00":                                     "12:00:00",
	} {
		if got := withoutTime(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
