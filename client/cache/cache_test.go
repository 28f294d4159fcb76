package cache

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestAnswerComesBackWithItsAge(t *testing.T) {
	watch := &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	dir := filepath.Join(t.TempDir(), "answers")
	c := New(dir, 0, watch.now)
	key := Key{"https://lab.example", "bob", "/api/project.json"}
	if _, _, ok := c.Get(key); ok {
		t.Fatal("an answer out of nothing")
	}
	c.Put(key, []byte("one"))
	watch.t = watch.t.Add(90 * time.Second)
	data, age, ok := New(dir, 0, watch.now).Get(key)
	if !ok || string(data) != "one" || age != 90*time.Second {
		t.Errorf("%q, %v, %v", data, age, ok)
	}
	c.Put(key, []byte("two"))
	if data, age, _ := c.Get(key); string(data) != "two" || age != 0 {
		t.Errorf("%q, %v", data, age)
	}
	c.Delete(key)
	if _, _, ok := c.Get(key); ok {
		t.Error("still there")
	}
}

func TestAnswersOfOthersAreNotGiven(t *testing.T) {
	c := New(t.TempDir(), 0, nil)
	c.Put(Key{"https://a", "bob", "/x"}, []byte("bob's"))
	for _, key := range []Key{{"https://a", "eve", "/x"}, {"https://b", "bob", "/x"}, {"https://a", "bob", "/y"}, {"https://abob", "", "/x"}} {
		if _, _, ok := c.Get(key); ok {
			t.Errorf("%v", key)
		}
	}
}

func TestOnlyTheOwnerReadsTheCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "answers")
	c := New(dir, 0, nil)
	key := Key{Path: "/x"}
	c.Put(key, []byte("x"))
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, key.file()): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestCacheStaysWithinItsLimitAndDropsTheOldest(t *testing.T) {
	watch := &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	dir := t.TempDir()
	c := New(dir, 10_000, watch.now)
	for i := range 100 {
		watch.t = watch.t.Add(time.Second)
		c.Put(Key{Path: fmt.Sprint(i)}, bytes.Repeat([]byte{'x'}, 1000))
	}
	c.sweep()
	kept := 0
	for i := range 100 {
		if _, _, ok := c.Get(Key{Path: fmt.Sprint(i)}); ok {
			kept++
			if i < 90 {
				t.Errorf("kept the old answer %d", i)
			}
		}
	}
	if kept != 10 {
		t.Errorf("%d answers kept", kept)
	}
	c.Put(Key{Path: "huge"}, make([]byte, 5000))
	if _, _, ok := c.Get(Key{Path: "huge"}); ok {
		t.Error("one answer fills the cache")
	}
}

func TestDomainTypesAreKept(t *testing.T) {
	c := New(t.TempDir(), 0, nil)
	key := Key{Path: "projects"}
	want := []client.Project{{ID: 7, Name: "lung", Ontology: 3, Created: time.UnixMilli(1581503400000).UTC()}}
	Store(c, key, want)
	got, _, ok := Load[[]client.Project](c, key)
	if !ok || len(got) != 1 || got[0] != want[0] {
		t.Errorf("%+v, %v", got, ok)
	}
	c.Put(key, []byte("{torn"))
	if _, _, ok := Load[[]client.Project](c, key); ok {
		t.Error("a torn answer was given")
	}
}

func TestUnusableFolderIsNoError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := New(filepath.Join(file, "below"), 0, nil)
	c.Put(Key{}, []byte("x"))
	if _, _, ok := c.Get(Key{}); ok {
		t.Error("stored in a file")
	}
}

func TestConcurrentPutsNeverMix(t *testing.T) {
	c := New(t.TempDir(), 0, nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				c.Put(Key{Path: "x"}, bytes.Repeat([]byte{byte('a' + i)}, 4096))
				if data, _, ok := c.Get(Key{Path: "x"}); ok && bytes.Count(data, data[:1]) != 4096 {
					t.Error("mixed answers")
				}
			}
		})
	}
	all.Wait()
}
