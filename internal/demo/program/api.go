package program

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// api signs requests as Cytomine's own clients do: HMAC-SHA1 over method,
// content type, date and path with query.
type api struct {
	base       string // without a slash at its end
	publicKey  string
	privateKey string
	http       *http.Client
}

func newAPI(s site) (*api, error) {
	base := strings.TrimRight(s.host, "/")
	if base == "" || s.publicKey == "" || s.privateKey == "" {
		return nil, errors.New("need --cytomine_host, --cytomine_public_key and --cytomine_private_key")
	}
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	if _, err := url.Parse(base); err != nil {
		return nil, fmt.Errorf("bad address of the server: %w", err)
	}
	return &api{base: base, publicKey: s.publicKey, privateKey: s.privateKey, http: &http.Client{
		Timeout: 2 * time.Minute,
		// A redirect means that the signature was not accepted.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// get reads the object at path into v.
func (a *api) get(path string, v any) error {
	body, err := a.do(http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	return decode(path, body, v)
}

// send writes v to path and reads the answer into answer, unless that is nil.
func (a *api) send(method, path string, v, answer any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	got, err := a.do(method, path, "application/json", body)
	if err != nil || answer == nil {
		return err
	}
	return decode(path, got, answer)
}

// upload sends a file as a form.
func (a *api) upload(path, name string, data []byte) error {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("files[]", name)
	if err != nil {
		return err
	}
	if _, err := part.Write(data); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, err = a.do(http.MethodPost, path, w.FormDataContentType(), form.Bytes())
	return err
}

func decode(path string, body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // ids are 64 bits wide, and an update must give back what it got
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%s: the server's answer cannot be read: %w", path, err)
	}
	return nil
}

// maxAnswer is the largest answer that is read, in bytes.
const maxAnswer = 1 << 30

// patience is how long to wait for a server that is not listening, because it
// is being started again.
const patience = 15 * time.Second

func (a *api) do(method, path, contentType string, body []byte) ([]byte, error) {
	end := time.Now().Add(patience)
	for {
		res, err := a.once(method, path, contentType, body)
		if errors.Is(err, syscall.ECONNREFUSED) && time.Now().Before(end) {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		got, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		_ = res.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		if res.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s %s: server answered %s: %.300s", method, path, res.Status, got)
		}
		return got, nil
	}
}

func (a *api) once(method, path, contentType string, body []byte) (*http.Response, error) {
	req, err := http.NewRequest(method, a.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	date := time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000")
	req.Header.Set("date", date)
	req.Header.Set("accept", "application/json, */*")
	req.Header.Set("X-Requested-With", "XMLHttpRequest")
	if contentType != "" {
		req.Header.Set("content-type", contentType)
	}
	signed := method + "\n\n" + contentType + "\n" + date + "\n" + req.URL.RequestURI()
	mac := hmac.New(sha1.New, []byte(a.privateKey))
	mac.Write([]byte(signed))
	req.Header.Set("authorization", "CYTOMINE "+a.publicKey+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return a.http.Do(req)
}
