package supervisor

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/cytomine"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/runner/keep"
	"github.com/cytorun/cytorun/runner/report"
)

// TestMain lets the test binary stand in for cytorun: keep, supervise and the
// programs that a run starts are real processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "keep":
			os.Exit(keep.Main(os.Args[2:]))
		case "supervise":
			verdictPatience, deliverPatience = time.Second, time.Second
			if d, err := time.ParseDuration(os.Getenv("CYTORUN_TEST_MINUTE")); err == nil {
				firstLog, putEvery, askFirst, askLast = d, d, d/4, d/4
			}
			tendEvery, exactTick, exactLook = 50*time.Millisecond, 20*time.Millisecond, 50*time.Millisecond
			report.ClaimPause = 20 * time.Millisecond
			os.Exit(Main(os.Args[2:]))
		case "demo-program":
			os.Exit(program(os.Args[2:]))
		}
	}
	os.Exit(m.Run())
}

// program is what the runs of these tests execute. Its words are the name of a
// behaviour, its arguments, and what the server sets as flags.
func program(args []string) int {
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	number := func(i int) int { n, _ := strconv.Atoi(arg(i)); return n }
	switch arg(0) {
	case "ok":
		fmt.Println("done")
	case "file":
		// IMAGE OUTPUT N [FILE]: N annotations of the image, once FILE is there.
		fmt.Println("looking at", filepath.Base(arg(1)))
		if b, err := os.ReadFile(arg(1)); err != nil || len(b) == 0 {
			fmt.Println("no image:", err)
			return 94
		}
		if arg(4) != "" {
			if code := untilFile(arg(4)); code != 0 {
				return code
			}
		}
		return found(arg(2), number(3))
	case "write":
		// OUTPUT NAME TEXT: a file of any content.
		if err := os.WriteFile(filepath.Join(arg(1), arg(2)), []byte(arg(3)), 0o600); err != nil {
			fmt.Println(err)
			return 93
		}
	case "token":
		fmt.Println("the token is", os.Getenv("EXACT_TOKEN"))
	case "exit":
		fmt.Fprintln(os.Stderr, "Traceback (most recent call last):\n  File \"run.py\", line 3, in <module>\nValueError: bad threshold")
		return number(1)
	case "say":
		fmt.Println(strings.Join(args[1:], " "))
	case "sleep":
		fmt.Println("sleeping")
		time.Sleep(time.Duration(number(1)) * time.Millisecond)
		return number(2)
	case "until":
		fmt.Println("waiting")
		return untilFile(arg(1))
	case "report-then":
		if code := reportOwn(append([]string{"2", "working", "0"}, args[2:]...)); code != 0 {
			return code
		}
		fmt.Println("tiles 10/100")
		return untilFile(arg(1))
	case "ignore-term":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ignoring")
		time.Sleep(time.Hour)
	case "handle-term":
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Println("ready")
		<-c
		fmt.Println("cleaned up")
		return 3
	case "fork-away":
		cmd := exec.Command("/proc/self/exe", "demo-program", "sleep", "3600000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return 9
		}
		fmt.Println("left", cmd.Process.Pid)
	case "kill-self":
		_ = syscall.Exec("/bin/sh", []string{"sh", "-c", "kill -" + arg(1) + " $$; sleep 9"}, nil)
	case "flood":
		line := []byte(strings.Repeat("x", 1023) + "\n")
		block := []byte(strings.Repeat(string(line), 64))
		for range number(1) * 16 {
			_, _ = os.Stdout.Write(block)
		}
	case "binary":
		_, _ = os.Stdout.Write([]byte{0, 0xff, 0xfe, 0x1b, '[', '2', 'J', 0x80, 'x'})
	case "hog":
		// A part of it takes more memory than there is; the rest goes on.
		fmt.Println(exec.Command("/proc/self/exe", "demo-program", "take", arg(1)).Run())
		fmt.Println("done")
	case "take":
		_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0) // of the group, this one
		block := make([]byte, number(1)<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
	case "dots":
		fmt.Print("...")
	case "close-stdout":
		_ = os.Stdout.Close()
		_ = os.Stderr.Close()
		time.Sleep(50 * time.Millisecond)
	case "progress":
		for i := 0; i <= 100; i += 10 {
			fmt.Printf("\rtiles %d/100", i)
			time.Sleep(time.Duration(number(1)) * time.Millisecond)
		}
	case "fill-disk":
		// 200 MB in each place that programs write to.
		for _, dir := range []string{os.Getenv("HOME"), os.Getenv("TMPDIR"), "."} {
			f, err := os.CreateTemp(dir, "big")
			if err != nil {
				fmt.Println(err)
				return 1
			}
			block := make([]byte, 1<<20)
			for range 200 {
				if _, err := f.Write(block); err != nil {
					fmt.Println(err)
					return 1
				}
			}
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	case "report":
		// Tells the server a status of its own, as an app does.
		return reportOwn(args[1:])
	case "annotate":
		// IMAGE,... HOST PUBLIC PRIVATE: one square on each image.
		for image := range strings.SplitSeq(arg(1), ",") {
			body := `{"image":` + image + `,"location":"POLYGON((1 1,9 1,9 9,1 9,1 1))"}`
			if err := post(arg(2)+"/api/annotation.json", arg(3), arg(4), body); err != nil {
				fmt.Println(err)
				return 95
			}
		}
	default:
		fmt.Fprintln(os.Stderr, "no behaviour", arg(0))
		return 99
	}
	return 0
}

// found leaves annotations in a folder.
func found(folder string, n int) int {
	var b strings.Builder
	b.WriteString(`{"schema":1,"annotations":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"mitotic FIGURE","box":[%d,10,%d,20],"score":0.5}`, i, i+10)
	}
	b.WriteString(`]}`)
	if err := os.WriteFile(filepath.Join(folder, "found.json"), []byte(b.String()), 0o600); err != nil {
		fmt.Println(err)
		return 93
	}
	return 0
}

// untilFile runs until a file appears, so that a test decides when it ends and
// with which code.
func untilFile(path string) int {
	for {
		if b, err := os.ReadFile(path); err == nil {
			n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
			return n
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// post signs and sends a request as the contract describes it (§1.1).
func post(url, public, private, body string) error {
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	date := time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000")
	mac := hmac.New(sha1.New, []byte(private))
	fmt.Fprintf(mac, "POST\n\napplication/json\n%s\n%s", date, r.URL.EscapedPath())
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Date", date)
	r.Header.Set("Authorization", "CYTOMINE "+public+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("%s: %s", answer.Status, text)
	}
	return nil
}

// reportOwn: STATUS COMMENT EXIT HOST PUBLIC PRIVATE JOB
func reportOwn(args []string) int {
	status, _ := strconv.Atoi(args[0])
	exit, _ := strconv.Atoi(args[2])
	server, err := cytomine.New(profile.Profile{Kind: client.Cytomine, URL: args[3]}, client.Keys{Public: args[4], Private: args[5]}, cytomine.Options{})
	if err != nil {
		fmt.Println(err)
		return 98
	}
	me, err := server.CurrentUser(tctx)
	if err != nil {
		fmt.Println(err)
		return 97
	}
	_, err = server.UpdateJob(tctx, me.Job, func(c *client.JobChange) error {
		c.Status, c.Comment, c.Progress = client.Status(status), args[1], 42
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return 96
	}
	return exit
}
