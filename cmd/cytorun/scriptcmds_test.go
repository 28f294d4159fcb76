package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are the words of the scripts besides those of testscript.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"code":        code,
	"clean":       clean,
	"until":       until,
	"json":        jsonPath,
	"setvar":      setVar,
	"serve":       serve,
	"demo":        serveDemo,
	"api":         api,
	"tls":         serveTLS,
	"pretend":     pretend,
	"mode":        mode,
	"fingerprint": fingerprint,
	"registry":    serveRegistry,
	"exact":       serveExact,
}

// code runs a command and compares its exit code: code 4 cytorun projects.
func code(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitOf(ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func exitOf(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// until repeats a command until its output matches: until REGEXP cytorun …
func until(ts *testscript.TestScript, _ bool, args []string) {
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	err = within(20*time.Second, func() error {
		if err := ts.Exec(args[1], args[2:]...); err != nil {
			return err
		}
		if out := ts.ReadFile("stdout"); !pattern.MatchString(out) {
			return fmt.Errorf("%q does not come: %s", args[0], out)
		}
		return nil
	})
	ts.Check(err)
}

// jsonPath looks into the last output as JSON: json analyses.0.state succeeded.
// A length is asked for by length: json analyses.length 2. Without a value it only has to
// be there.
func jsonPath(ts *testscript.TestScript, neg bool, args []string) {
	got, ok := lookup(ts, args[0])
	matches := ok && (len(args) == 1 || got == args[1])
	if matches == neg {
		ts.Fatalf("%s is %q (there: %v)", args[0], got, ok)
	}
}

// setVar keeps a part of the last output, which is JSON, in a variable:
// setvar RUN analyses.0.id.
func setVar(ts *testscript.TestScript, _ bool, args []string) {
	got, ok := lookup(ts, args[1])
	if !ok {
		ts.Fatalf("no %s in the output", args[1])
	}
	ts.Setenv(args[0], got)
}

func lookup(ts *testscript.TestScript, path string) (string, bool) {
	var at any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	d.UseNumber()
	ts.Check(d.Decode(&at))
	if d.More() {
		ts.Fatalf("more than one JSON object")
	}
	for _, step := range strings.Split(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			next, ok := v[step]
			if !ok {
				return "", false
			}
			at = next
		case []any:
			if step == "length" {
				return strconv.Itoa(len(v)), true
			}
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				return "", false
			}
			at = v[i]
		default:
			return "", false
		}
	}
	return fmt.Sprint(at), true
}

// serve starts `cytorun serve` and puts what it prints into the environment, as
// a person would with eval: CYTOMINE_HOST and the two keys.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command("cytorun", append([]string{"serve", "--data", ts.MkAbs("site")}, args...)...)
	cmd.Env = environment(ts)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	var said bytes.Buffer
	cmd.Stderr = &said
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for range 3 {
		if !lines.Scan() {
			ts.Fatalf("serve ended: %s", said.String())
		}
		name, value, _ := strings.Cut(lines.Text(), "=")
		ts.Setenv(name, value)
	}
}

// serveDemo starts the demo's server; $SITE, $PUBLIC and $PRIVATE are its
// address and keys. `demo stop` ends it, as a crash of its box would.
func serveDemo(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 1 && args[0] == "stop" {
		stop := ts.Value(demoKey).(*func())
		(*stop)()
		return
	}
	dir := ts.MkAbs("demo-site")
	cmd := exec.Command("cytorun", append([]string{"serve", "--demo", "--data", dir}, args...)...)
	cmd.Env = environment(ts)
	var said bytes.Buffer
	cmd.Stderr = &said
	ts.Check(cmd.Start())
	stop := sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	ts.Defer(stop)
	*ts.Value(demoKey).(*func()) = stop
	var c struct {
		URL     string `json:"url"`
		Public  string `json:"public_key"`
		Private string `json:"private_key"`
	}
	err := within(30*time.Second, func() error {
		data, err := os.ReadFile(filepath.Join(dir, "connection.json"))
		if err != nil {
			return fmt.Errorf("the demo's server does not come up: %w: %s", err, said.String())
		}
		return json.Unmarshal(data, &c)
	})
	ts.Check(err)
	ts.Setenv("SITE", c.URL)
	ts.Setenv("PUBLIC", c.Public)
	ts.Setenv("PRIVATE", c.Private)
}

// demoKey finds what ends the demo's server of a script.
type demoKeyType struct{}

var demoKey demoKeyType

func environment(ts *testscript.TestScript) []string {
	env := []string{}
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "CYTORUN_LEASES",
		"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
	} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

// api speaks to the server of the environment without our client, signed as the
// Cytomine API asks: api GET /api/user/current.json, with a body as last word.
// The answer is the output.
func api(ts *testscript.TestScript, _ bool, args []string) {
	method, path, body, contentType := args[0], args[1], "", ""
	if len(args) > 2 {
		body, contentType = args[2], "application/json"
	}
	r, err := http.NewRequest(method, ts.Getenv("CYTOMINE_HOST")+path, strings.NewReader(body))
	ts.Check(err)
	date := time.Now().UTC().Format(http.TimeFormat)
	mac := hmac.New(sha1.New, []byte(ts.Getenv("CYTOMINE_PRIVATE_KEY")))
	io.WriteString(mac, method+"\n\n"+contentType+"\n"+date+"\n"+path)
	r.Header.Set("Date", date)
	r.Header.Set("Authorization", "CYTOMINE "+ts.Getenv("CYTOMINE_PUBLIC_KEY")+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	ts.Check(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		ts.Fatalf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	_, err = io.Copy(ts.Stdout(), answer.Body)
	ts.Check(err)
}

// serveTLS puts a server with a certificate of its own in front of the one of
// the environment: $TLS is its address, ca.pem its certificate, $FINGERPRINT
// what names it, and $PLAIN and $WRONGTLS are the two addresses with the wrong
// scheme.
func serveTLS(ts *testscript.TestScript, _ bool, _ []string) {
	site, err := url.Parse(ts.Getenv("SITE"))
	ts.Check(err)
	front := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(site)
		r.Out.Header["Date"] = r.In.Header["Date"]
	}})
	front.Config.ErrorLog = log.New(io.Discard, "", 0) // of refused handshakes
	front.StartTLS()
	ts.Defer(front.Close)
	cert := front.Certificate()
	ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), 0o600))
	ts.Setenv("TLS", front.URL)
	ts.Setenv("WRONGTLS", "https://"+site.Host)
	ts.Setenv("PLAIN", "http"+strings.TrimPrefix(front.URL, "https"))
}

// pretend starts a server that is none of ours: pretend NAME STATUS BODY
// answers everything so; its address is in $NAME.
func pretend(ts *testscript.TestScript, _ bool, args []string) {
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if strings.HasPrefix(args[2], "{") {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(status)
		io.WriteString(w, args[2])
	}))
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.URL)
}

// mode compares the permissions of files: mode 0600 FILE…
func mode(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s is %s, want %s", name, got, args[0])
		}
	}
}

// fingerprint keeps the fingerprint that the last refusal of a certificate
// showed, in $FINGERPRINT.
func fingerprint(ts *testscript.TestScript, _ bool, _ []string) {
	found := regexp.MustCompile(`--trust ([0-9a-f]{64})`).FindStringSubmatch(ts.ReadFile("stderr"))
	if found == nil {
		ts.Fatalf("no fingerprint in the last message")
	}
	ts.Setenv("FINGERPRINT", found[1])
}

// clean makes sure that the last command printed nothing that a terminal obeys.
func clean(ts *testscript.TestScript, _ bool, _ []string) {
	for _, stream := range []string{"stdout", "stderr"} {
		for _, r := range ts.ReadFile(stream) {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
				ts.Fatalf("%q on %s: %q", r, stream, ts.ReadFile(stream))
			}
		}
	}
}
