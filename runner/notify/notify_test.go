package notify

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/cytorun/cytorun/client/profile"
)

var message = Message{
	Run: "20261120-143205-k7qd", Title: "Nuclei #12", State: "failed", Reason: "exit 1: CUDA out of memory\x1b[2J\nsecond",
	Host: "box", Seconds: 12.5, Ended: time.Date(2026, 11, 20, 14, 40, 0, 0, time.UTC),
}

func TestCommandGetsTheEndInItsEnvironment(t *testing.T) {
	t.Setenv("CYTOMINE_PRIVATE_KEY", "0b3d9c8e")
	out := filepath.Join(t.TempDir(), "out")
	told := Config{Command: `printf '%s|%s|%s|%s|' "$CYTORUN_RUN" "$CYTORUN_STATE" "$CYTORUN_TITLE" "$CYTORUN_REASON" > ` + out + `; env | grep -c 0b3d9c8e >> ` + out + `; exit 0`}.
		Send(t.Context(), message)
	if len(told) != 1 || told[0].Err != nil {
		t.Fatalf("%+v", told)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if want := "20261120-143205-k7qd|failed|Nuclei #12|exit 1: CUDA out of memory␛[2J second|0\n"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestFailingWaysAreTold(t *testing.T) {
	refuse := httptest.NewServer(http.RedirectHandler("https://elsewhere.example/", http.StatusFound))
	defer refuse.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, c := range []struct {
		name   string
		config Config
		says   string
		not    string
	}{
		{"a command that fails", Config{Command: "exit 3"}, "command: exit status 3", "-"},
		{"a redirect", Config{Webhook: refuse.URL + "/secret-token"}, "answered 302", "secret-token"},
		{"a server that is gone", Config{Webhook: gone.URL + "/secret-token"}, "connection refused", "secret-token"},
		{"no address at all", Config{Webhook: "slack secret-token"}, "no http or https address", "secret-token"},
		{"an option instead of an address", Config{Mail: "-Xlog@site"}, "no address", "-"},
		{"a second head", Config{Mail: "me@site\r\nBcc: you@site"}, "no address", "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			told, failed := Describe(c.config.Send(t.Context(), message))
			if told != "" || !strings.Contains(failed, c.says) || c.not != "-" && strings.Contains(failed, c.not) {
				t.Errorf("told %q, failed %q", told, failed)
			}
		})
	}
}

func TestACommandThatHangsIsEndedWithAllItStarted(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	began := time.Now()
	if err := runCommand(ctx, "sleep 60 & sleep 60", message); err == nil || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

func TestWebhookGetsJSON(t *testing.T) {
	var body []byte
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusBadRequest)
		}
		body, _ = io.ReadAll(r.Body)
	}))
	defer site.Close()
	if told, failed := Describe(Config{Webhook: site.URL}.Send(t.Context(), message)); told != "webhook" || failed != "" {
		t.Fatalf("told %q, failed %q", told, failed)
	}
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got["schema"] != 1.0 || got["run"] != message.Run || got["state"] != "failed" || got["seconds"] != 12.5 {
		t.Errorf("%s", body)
	}
}

func TestMailGoesThroughSendmail(t *testing.T) {
	bin, out := t.TempDir(), filepath.Join(t.TempDir(), "mail")
	script := "#!/bin/sh\n{ echo \"$@\"; cat; } > " + out + "\n"
	if err := os.WriteFile(filepath.Join(bin, "sendmail"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	m := message
	m.Title, m.Warnings = "Zellkerne für alle #1\r\nBcc: you@site", []string{"no result written"}
	if told, failed := Describe(Config{Mail: "me@site.example"}.Send(t.Context(), m)); told != "mail" {
		t.Fatalf("failed %q", failed)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	args, rest, _ := strings.Cut(string(got), "\n")
	head, body, _ := strings.Cut(rest, "\r\n\r\n")
	if args != "-oi me@site.example" || strings.Contains(head, "\r\nBcc") || !strings.Contains(head, "Subject: =?utf-8?q?cytorun:") {
		t.Errorf("%q %q", args, head)
	}
	if !strings.Contains(body, "CUDA out of memory") || !strings.Contains(body, "warning: no result written") || !strings.Contains(body, "cytorun logs "+m.Run) {
		t.Errorf("%q", body)
	}
}

func TestTheBellRingsInATerminal(t *testing.T) {
	us, terminal, err := pty.Open()
	if err != nil {
		t.Skip("no terminals here:", err)
	}
	defer us.Close()
	defer terminal.Close()
	if err := ring([]string{"/dev/pts/none", terminal.Name()}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	if n, err := us.Read(b); err != nil || string(b[:n]) != "\a" {
		t.Errorf("%q, %v", b[:n], err)
	}
	if err := ring(nil); err == nil {
		t.Error("rang nowhere")
	}
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       Config
		fails      string
	}{
		{"all ways", "[notify]\ncommand = \"true\"\nmail = \"me\"\nwebhook = \"https://x\"\nbell = true\n", Config{"true", "me", "https://x", true}, ""},
		{"none", "current = \"lab\"\n", Config{}, ""},
		{"a mistyped way is told, the others count", "[notify]\nbell = true\nmial = \"me\"\n", Config{Bell: true}, "mial"},
		{"a wrong type", "[notify]\nbell = \"yes\"\n", Config{}, "bell"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Load(profile.Paths{Config: dir})
			if got != c.want || (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	if got, err := Load(profile.Paths{Config: t.TempDir()}); !got.Empty() || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
}
