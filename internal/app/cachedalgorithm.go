package app

import (
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/cache"
)

func (s *Session) algorithmKey(name string) cache.Key {
	project := s.Project.ID
	if project == 0 {
		project = s.Profile.Project // not connected yet: the one used last
	}
	return s.answerKey("algorithm of " + idText(project) + " " + strings.ToLower(name))
}

// keepAlgorithm keeps an algorithm under the name that somebody asked for it by,
// and its own.
func (s *Session) keepAlgorithm(name string, a client.Algorithm) {
	answers := s.Env.answers()
	cache.Store(answers, s.algorithmKey(name), a)
	if !strings.EqualFold(name, a.Name) {
		cache.Store(answers, s.algorithmKey(a.Name), a)
	}
}

// CachedAlgorithm is the algorithm that a name meant when it was last read, and
// how long ago that was. It makes no request, and works before Connect for the
// project used last.
func (s *Session) CachedAlgorithm(name string) (a client.Algorithm, age time.Duration, ok bool) {
	return cache.Load[client.Algorithm](s.Env.answers(), s.algorithmKey(name))
}
