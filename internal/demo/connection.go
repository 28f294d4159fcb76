package demo

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/cytorun/cytorun/client"
)

// connection is connection.json: how to reach the demo's server. The server
// writes it before it answers for the first time, and it stays when the server
// is gone, so that the next one takes the same port.
type connection struct {
	Schema  int       `json:"schema"`
	URL     string    `json:"url"`
	PID     int       `json:"pid"`
	Build   string    `json:"build"` // of the program that serves, see build
	Public  string    `json:"public_key"`
	Private string    `json:"private_key"`
	Project client.ID `json:"project"`
}

const connectionSchema = 1

func connectionFile(dir string) string { return filepath.Join(dir, "connection.json") }

// readConnection gives the zero connection where there is none that this
// program understands.
func readConnection(dir string) (connection, error) {
	data, err := os.ReadFile(connectionFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return connection{}, nil
	}
	if err != nil {
		return connection{}, fmt.Errorf("cannot read how to reach the demo's server: %w", err)
	}
	var c connection
	if json.Unmarshal(data, &c) != nil || c.Schema != connectionSchema {
		return connection{}, nil
	}
	return c, nil
}

// write replaces the file in one step; only its owner may read the keys in it.
func (c connection) write(dir string) error {
	c.Schema = connectionSchema
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".connection-*")
	if err != nil {
		return fmt.Errorf("cannot note how to reach the demo's server: %w", err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(append(data, '\n'))
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("cannot note how to reach the demo's server: %w", err)
	}
	if err := os.Rename(file.Name(), connectionFile(dir)); err != nil {
		return fmt.Errorf("cannot note how to reach the demo's server: %w", err)
	}
	return nil
}

// identityPath answers a challenge with a proof that needs the private key: it
// tells our server from whatever else may have got its port, before anybody
// runs a container that it serves.
const identityPath = "/demo/server"

// proof is the answer to a challenge.
func proof(privateKey, challenge string) string {
	mac := hmac.New(sha256.New, []byte(privateKey))
	mac.Write([]byte("cytorun demo server\n" + challenge))
	return hex.EncodeToString(mac.Sum(nil))
}

// identify is the handler of identityPath.
func identify(privateKey string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, proof(privateKey, r.URL.Query().Get("challenge")))
	}
}

// answers tells whether the server of c is there.
func (c connection) answers() bool {
	if c.URL == "" || c.Private == "" {
		return false
	}
	challenge := rand.Text()
	h := http.Client{Timeout: 2 * time.Second}
	res, err := h.Get(c.URL + identityPath + "?challenge=" + challenge)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	got, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	return err == nil && res.StatusCode == http.StatusOK && hmac.Equal(got, []byte(proof(c.Private, challenge)))
}

// build tells one program file from another: by size and time, because reading
// all of it at each start would cost more than the rest of the start.
func build(exe string) (string, error) {
	info, err := os.Stat(exe)
	if err != nil {
		return "", fmt.Errorf("cannot find this program's own file: %w", err)
	}
	return buildOf(info), nil
}

func buildOf(info fs.FileInfo) string {
	return fmt.Sprintf("%d-%d", info.Size(), info.ModTime().UnixNano())
}
