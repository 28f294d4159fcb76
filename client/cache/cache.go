// Package cache keeps what servers answered, so that a screen has something to
// show before the network has. Every answer comes back with its age; who shows
// it says so and asks the server again.
//
// One answer is one file that only its owner can read, replaced in one step.
// A cache may vanish or lose any file at any time: it is never the truth, and no
// failure of it is an error for a person. Keys and logs are not put into it.
package cache

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Key says what was asked, where and by whom: two people may get different
// answers.
type Key struct {
	Server string // URL
	User   string
	Path   string // of the request, or any name for what was asked
}

// file is the name of an answer: fixed length, nothing of the key readable.
func (k Key) file() string {
	sum := sha256.Sum256([]byte(k.Server + "\x00" + k.User + "\x00" + k.Path))
	return hex.EncodeToString(sum[:]) + suffix
}

const suffix = ".answer"

// Cache is a folder of answers. It is safe for use by many goroutines and
// programs.
type Cache struct {
	dir   string
	limit int64
	now   func() time.Time
	puts  atomic.Int64
}

// DefaultLimit bounds a cache, in bytes.
const DefaultLimit = 256 << 20

// New uses dir, made when something is stored. limit bounds all answers
// together, in bytes; 0 means DefaultLimit. now is the clock, time.Now when nil.
func New(dir string, limit int64, now func() time.Time) *Cache {
	if limit <= 0 {
		limit = DefaultLimit
	}
	if now == nil {
		now = time.Now
	}
	return &Cache{dir: dir, limit: limit, now: now}
}

// Get gives an answer and its age; ok is false where there is none.
func (c *Cache) Get(k Key) (data []byte, age time.Duration, ok bool) {
	path := filepath.Join(c.dir, k.file())
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, false
	}
	if data, err = os.ReadFile(path); err != nil {
		return nil, 0, false
	}
	return data, max(0, c.now().Sub(info.ModTime())), true
}

// Open is Get for an answer that is read as it is needed.
func (c *Cache) Open(k Key) (answer io.ReadCloser, age time.Duration, ok bool) {
	f, err := os.Open(filepath.Join(c.dir, k.file()))
	if err != nil {
		return nil, 0, false
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, false
	}
	return f, max(0, c.now().Sub(info.ModTime())), true
}

// Put stores an answer. One that is larger than a quarter of the limit is not
// kept.
func (c *Cache) Put(k Key, data []byte) {
	c.Write(k, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// errTooLarge ends the writing of an answer that is not kept.
var errTooLarge = errors.New("too large to be kept")

// bounded lets so many bytes through.
type bounded struct {
	to   io.Writer
	left int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errTooLarge
	}
	return b.to.Write(p)
}

// Write is Put for an answer that is written piece by piece. An error of write
// keeps what was stored before.
func (c *Cache) Write(k Key, write func(io.Writer) error) {
	if os.MkdirAll(c.dir, 0o700) != nil {
		return
	}
	temp, err := os.CreateTemp(c.dir, ".put-*") // mode 0600
	if err != nil {
		return
	}
	err = write(&bounded{temp, c.limit / 4})
	err = cmp.Or(err, temp.Close())
	stored := c.now()
	err = cmp.Or(err, os.Chtimes(temp.Name(), stored, stored))
	if err == nil {
		err = os.Rename(temp.Name(), filepath.Join(c.dir, k.file()))
	}
	if err != nil {
		os.Remove(temp.Name())
		return
	}
	if c.puts.Add(1)%16 == 1 {
		c.sweep()
	}
}

// Delete forgets an answer.
func (c *Cache) Delete(k Key) { os.Remove(filepath.Join(c.dir, k.file())) }

// sweep removes the oldest answers until the rest fits, and files that an
// interrupted Put left.
func (c *Cache) sweep() {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	var answers []os.FileInfo
	var total int64
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		switch {
		case strings.HasSuffix(info.Name(), suffix):
			answers = append(answers, info)
			total += info.Size()
		case strings.HasPrefix(info.Name(), ".put-") && c.now().Sub(info.ModTime()) > time.Hour:
			os.Remove(filepath.Join(c.dir, info.Name()))
		}
	}
	slices.SortFunc(answers, func(a, b os.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, info := range answers {
		if total <= c.limit {
			return
		}
		if os.Remove(filepath.Join(c.dir, info.Name())) == nil {
			total -= info.Size()
		}
	}
}

// Load gives an answer that Store kept; ok is false where there is none, or
// where an other version of this program wrote something else.
func Load[T any](c *Cache, k Key) (v T, age time.Duration, ok bool) {
	data, age, ok := c.Get(k)
	if !ok {
		return v, 0, false
	}
	if json.Unmarshal(data, &v) != nil {
		var none T
		return none, 0, false
	}
	return v, age, true
}

// Store keeps a value as JSON.
func Store[T any](c *Cache, k Key, v T) {
	if data, err := json.Marshal(v); err == nil {
		c.Put(k, data)
	}
}
