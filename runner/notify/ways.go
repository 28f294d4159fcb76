package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"golang.org/x/sys/unix"
)

// start runs a command of this box in a process group of its own, so that what
// it started ends with it when its time is up.
func start(ctx context.Context, input string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = "/"
	cmd.Env = append(withoutKeys(os.Environ()), env...)
	cmd.Stdin = strings.NewReader(input)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("did not end within %s", Timeout)
	case errors.Is(err, exec.ErrWaitDelay): // it left something in the background
		return nil
	}
	return err
}

// withoutKeys takes the keys of a person out of an environment.
func withoutKeys(env []string) []string {
	return slices.DeleteFunc(env, func(kv string) bool {
		name, _, _ := strings.Cut(strings.ToUpper(kv), "=")
		return strings.HasPrefix(name, "CYTOMINE_") && strings.Contains(name, "KEY")
	})
}

// runCommand runs the person's own command. What it prints goes nowhere: there
// is no terminal to print to.
func runCommand(ctx context.Context, command string, m Message) error {
	return start(ctx, "", []string{
		"CYTORUN_RUN=" + m.Run, "CYTORUN_GROUP=" + m.Group, "CYTORUN_STATE=" + m.State,
		"CYTORUN_TITLE=" + m.Title, "CYTORUN_REASON=" + m.Reason,
	}, "/bin/sh", "-c", command)
}

// mailers are where sendmail is, which is often not in the PATH of a person.
var mailers = []string{"/usr/sbin/sendmail", "/usr/lib/sendmail", "/sbin/sendmail"}

// mail hands the message to sendmail, else to the mail command.
func mail(ctx context.Context, to string, m Message) error {
	if strings.HasPrefix(to, "-") || strings.ContainsFunc(to, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return fmt.Errorf("%q in [notify] mail is no address", to)
	}
	subject := "cytorun: " + m.Title + ": " + m.State
	body := mailBody(m)
	sendmail, err := exec.LookPath("sendmail")
	for _, path := range mailers {
		if err == nil {
			break
		}
		sendmail, err = exec.LookPath(path)
	}
	if err == nil {
		head := "To: " + to + "\r\nSubject: " + mime.QEncoding.Encode("utf-8", subject) +
			"\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nAuto-Submitted: auto-generated\r\n\r\n"
		// -oi: a line with a dot alone is text. The address is also an argument,
		// as some replacements of sendmail read none from the head.
		return start(ctx, head+body, nil, sendmail, "-oi", to)
	}
	if program, err := exec.LookPath("mail"); err == nil {
		return start(ctx, body, nil, program, "-s", subject, to)
	}
	return errors.New("neither sendmail nor mail is on this box; use a webhook or a command")
}

func mailBody(m Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", m.line())
	for _, w := range m.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	if m.Group != "" {
		fmt.Fprintf(&b, "on %s; 'cytorun analyses --group %s' lists its analyses\n", m.Host, m.Group)
	} else {
		fmt.Fprintf(&b, "on %s; 'cytorun logs %s' shows its log\n", m.Host, m.Run)
	}
	return b.String()
}

// post sends the message as JSON. Redirects are not followed: they would turn
// it into a GET, or carry it to another host.
func post(ctx context.Context, address string, m Message) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("the address in [notify] webhook is no http or https address")
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address in [notify] webhook is no http or https address")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "cytorun")
	poster := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := poster.Do(request)
	if err != nil {
		// The error of net/http holds the whole address.
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return fmt.Errorf("%s: %w", u.Host, err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16))
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s answered %s", u.Host, answer.Status)
	}
	return nil
}

// terminals lists the terminals of this user on this box.
func terminals() []string {
	found, _ := filepath.Glob("/dev/pts/[0-9]*")
	var ours []string
	for _, path := range found {
		var st unix.Stat_t
		if unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR && int(st.Uid) == os.Getuid() {
			ours = append(ours, path)
		}
	}
	return ours
}

// ring writes one BEL, which moves nothing on a screen. It never waits for a
// terminal that was stopped, and never makes one ours.
func ring(paths []string) error {
	rung := 0
	for _, path := range paths {
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		if n, err := unix.Write(fd, []byte{'\a'}); n == 1 && err == nil {
			rung++
		}
		_ = unix.Close(fd)
	}
	if rung == 0 {
		return errors.New("no terminal of yours is open on this box")
	}
	return nil
}
