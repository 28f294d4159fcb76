package app

import (
	"path/filepath"

	"github.com/cytorun/cytorun/client/cache"
)

// answers is the cache of what servers answered.
func (e *Env) answers() *cache.Cache {
	return cache.New(filepath.Join(e.Paths.Cache, "answers"), 0, e.Now)
}

// answerKey names an answer of this server to this person. Whose keys they are is
// known before the server has said anything.
func (s *Session) answerKey(what string) cache.Key {
	return cache.Key{Server: s.Profile.URL, User: s.keys.Public, Path: what}
}
