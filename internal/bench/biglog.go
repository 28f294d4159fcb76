package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Texts of the big log: Needle stands in line 5,000,000 only, FirstLine and LastLine are
// parts of those lines.
const (
	Needle    = "needle-in-line-5000000"
	FirstLine = "tile 000000001 segmented"
	LastLine  = "worker: the last line"
	// ErrorsInBigLog is how many errors are in it.
	ErrorsInBigLog = 8
)

const traceback = "Traceback (most recent call last):\n  File \"/app/run.py\", line 12, in <module>\n    main()\n"

// BigLog makes a log of 1 GB with about ten million lines, progress bars and an error now
// and then, in a folder that goes with the benchmark.
func BigLog(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err == nil && int64(st.Bavail)*st.Bsize < 2<<30 {
		b.Skip("needs 2 GB of free disk for temporary files")
	}
	f, err := os.Create(filepath.Join(dir, "output.log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := writeBigLog(w); err != nil {
		b.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return f.Name()
}

func writeBigLog(w io.Writer) error {
	for i, n := 1, 0; n < 1_000_000_000; i++ {
		var k int
		var err error
		switch {
		case i == 5_000_000:
			k, err = fmt.Fprintf(w, "2026-11-20 08:20:00 INFO worker: %s found\n", Needle)
		case i%1_000_000 == 0:
			k, err = io.WriteString(w, traceback+"ValueError: invalid literal\n")
		case i%10_000 == 0:
			k, err = fmt.Fprintf(w, " 10%%|#    | %d\r 50%%|###  | %d\r100%%|#####| %d\n", i, i, i)
		default:
			k, err = fmt.Fprintf(w, "2026-11-20 %02d:%02d:%02d INFO tile %09d segmented: %4d objects, mean area %7.2f px, %d ms, batch %05d of 99999\n", i/612_000, i/10_200%60, i/170%60, i, i%977, float64(i%9973)/7, i%311, i/100)
		}
		if err != nil {
			return err
		}
		n += k
	}
	_, err := io.WriteString(w, traceback+"RuntimeError: out of tiles\n2026-11-20 23:59:59 INFO "+LastLine+"\n")
	return err
}
