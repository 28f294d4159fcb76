package logfile

import (
	"strings"
)

// Kind is what sort of error a place in a log is.
type Kind string

// The kinds of error.
const (
	Python    Kind = "python"
	Java      Kind = "java"
	Go        Kind = "go"
	CUDA      Kind = "cuda"
	Slurm     Kind = "slurm"
	Shell     Kind = "shell"
	Container Kind = "container"
	Other     Kind = "error" // a line at the level of an error
)

// weight says how well an error explains why a program ended.
type weight uint8

const (
	noise  weight = iota // known to be harmless
	logged               // said, and went on or not
	likely               // of the shell or the batch system around the program
	cause                // ends programs
)

// verdict is what one line is.
type verdict struct {
	kind   Kind
	weight weight
	text   string // the line, or the part that says it
	// follow is how lines after this one belong to it; nil for none.
	follow func(first string, rest *lineReader) (end int64, text string, whole bool)
}

// classify looks at one line, escapes already dropped, which holds at least one
// of the signs.
func classify(s string) (verdict, bool) {
	t := strings.TrimSpace(s)
	is := func(k Kind, w weight) (verdict, bool) { return verdict{kind: k, weight: w, text: t}, true }
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(t, w) {
				return true
			}
		}
		return false
	}
	switch {
	case t == "":
		return verdict{}, false
	case strings.Contains(t, "Traceback (most recent call last)"):
		return verdict{Python, cause, t, followPython}, true
	case strings.HasPrefix(t, "Exception ignored in"):
		return verdict{Python, noise, t, followPython}, true
	case strings.HasPrefix(t, "panic: "), strings.HasPrefix(t, "fatal error: ") && !has(".h:", "compilation"):
		return verdict{Go, cause, t, followGo}, true
	case strings.HasPrefix(t, `Exception in thread "`), isJavaException(t):
		return verdict{Java, cause, t, followJava}, true
	case has("CUDA out of memory", "OutOfMemoryError", "CUDA error", "CUBLAS_STATUS", "CUDNN_STATUS", "OOM when allocating"):
		return is(CUDA, cause)
	case has("oom-kill", "oom_kill", "DUE TO TIME LIMIT", "Exceeded job memory limit"):
		return is(Slurm, cause)
	case strings.HasPrefix(t, "slurmstepd: "), strings.HasPrefix(t, "srun: error"), strings.HasPrefix(t, "sbatch: error"), strings.HasPrefix(t, "slurm_load"):
		return is(Slurm, likely)
	case t == "Killed", strings.HasSuffix(t, ": Killed"), has("Segmentation fault", "Bus error", "Illegal instruction", "core dumped", "terminate called", "Out of memory: Kill"),
		t == "Aborted", strings.HasSuffix(t, " Killed") && has(": line "), isWords(t, "Killed"):
		return is(Shell, cause)
	case strings.HasPrefix(t, "FATAL:  "):
		return is(Container, cause)
	case has("No space left on device", "Disk quota exceeded"):
		return is(Shell, cause)
	case strings.HasSuffix(t, ": command not found"), strings.HasSuffix(t, ": not found") && strings.Count(t, ": ") >= 2,
		strings.HasSuffix(t, ": No such file or directory") && !isException(t), strings.HasSuffix(t, ": Permission denied") && !isException(t):
		return is(Shell, likely)
	case isException(t):
		return is(Python, logged)
	case isErrorLevel(t):
		return is(Other, logged)
	}
	return verdict{}, false
}

// isWords tells a shell's report of a killed child, as
// "run.sh: line 3: 4242 Killed   python train.py".
func isWords(t, word string) bool {
	i := strings.Index(t, " "+word+" ")
	return i > 0 && t[i-1] >= '0' && t[i-1] <= '9' && strings.Contains(t[:i], ": ")
}

// isJavaException tells "java.lang.IllegalStateException: text", with at least
// one package, which no Python exception of the standard library has; only
// the lines after it can tell it from one of another library.
func isJavaException(t string) bool {
	name, _, _ := strings.Cut(t, ":")
	name, _, _ = strings.Cut(name, " ")
	if !strings.HasPrefix(name, "java.") && !strings.HasPrefix(name, "javax.") && !strings.HasPrefix(name, "org.") && !strings.HasPrefix(name, "com.") && !strings.HasPrefix(name, "net.") {
		return false
	}
	return isName(name) && (strings.HasSuffix(name, "Exception") || strings.HasSuffix(name, "Error"))
}

// isException tells the last line of a Python traceback: "ValueError: text",
// "torch.cuda.OutOfMemoryError: text", "KeyboardInterrupt".
func isException(t string) bool {
	name, _, colon := strings.Cut(t, ":")
	if !isName(name) || name[0] < 'A' && name[0] != '_' {
		return false
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	for _, end := range []string{"Error", "Exception"} {
		if strings.HasSuffix(last, end) && last[0] >= 'A' && last[0] <= 'Z' {
			return colon && last != "Error" || !colon && last != end
		}
	}
	return t == "KeyboardInterrupt" || t == "MemoryError"
}

// isName tells an identifier, with dots.
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '.' && c != '_' && c != '$' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != "" && s[0] > '9'
}

// isErrorLevel tells a line that a logger wrote at the level of an error, or
// that calls itself one.
func isErrorLevel(t string) bool {
	for _, level := range []string{"ERROR", "CRITICAL", "FATAL"} {
		for at := 0; ; {
			i := strings.Index(t[at:], level)
			if i < 0 {
				break
			}
			i += at
			end := i + len(level)
			if (i == 0 || !wordByte(t[i-1])) && (end == len(t) || !wordByte(t[end])) && !(end < len(t) && t[end] == '=') && i < 120 {
				return true
			}
			at = end
		}
	}
	for _, word := range []string{"error: ", "Error: ", "fatal: ", "Fatal error", "fatal error: "} {
		if i := strings.Index(t, word); i == 0 || i > 1 && i < 200 && (t[i-2:i] == ": " || t[i-2:i] == "] ") {
			return true
		}
	}
	return strings.HasPrefix(t, "Error in ") || strings.HasPrefix(t, "Error:")
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
