package exacttest

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
)

// account is a user with what the API never shows.
type account struct {
	id       int
	name     string
	password string
	super    bool
	perms    map[string]bool
}

// may says whether the user has a permission such as processing.change_pluginjob.
func (a *account) may(perm string) bool { return a.super || a.perms[perm] }

// Permissions of a worker's account: those that a run needs, and no more. The
// recorded server's worker had them.
var WorkerPermissions = []string{
	"processing.add_plugin", "processing.change_plugin", "processing.change_pluginjob", "processing.add_pluginjob",
	"processing.add_pluginresult", "processing.change_pluginresult", "processing.delete_pluginresult",
	"processing.add_pluginresultentry", "processing.change_pluginresultentry",
	"processing.add_pluginresultannotation", "processing.change_pluginresultannotation",
	"processing.add_pluginresultbitmap",
	"annotations.add_annotation", "annotations.change_annotation",
}

type token struct {
	id, user             int
	name, prefix, secret string
	created              time.Time
	used, expires, ended *time.Time
}

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)[:n]
}

// Token mints a personal access token for a user and returns it whole.
func (s *Server) Token(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.users {
		if a.name == user {
			t := s.mint(a.id, "t1", nil)
			return "pat_" + t.prefix + "." + t.secret
		}
	}
	panic("exacttest: no user " + user)
}

func (s *Server) mint(user int, name string, expires *time.Time) *token {
	t := &token{id: len(s.tokens) + 1, user: user, name: name, prefix: random(12), secret: random(43), created: s.stamp(), expires: expires}
	s.tokens = append(s.tokens, t)
	return t
}

// login finds out who calls; the answer is that of a refusal.
func (c *call) login(allow string) (answer, bool) {
	refuse := func(recording, detail string) (answer, bool) {
		return answer{recording: recording, status: 403, allow: allow, body: detailed(detail)}, false
	}
	scheme, rest, _ := strings.Cut(c.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "bearer":
		prefix, secret, ok := strings.Cut(strings.TrimPrefix(rest, "pat_"), ".")
		if !strings.HasPrefix(rest, "pat_") || !ok {
			return refuse("011", "Invalid token format.")
		}
		now := c.s.Local(c.s.Now())
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		i := slices.IndexFunc(c.s.tokens, func(t *token) bool { return t.prefix == prefix && t.secret == secret })
		if i < 0 {
			return refuse("012", "Invalid token.")
		}
		t := c.s.tokens[i]
		if t.ended != nil || (t.expires != nil && t.expires.Before(now)) {
			return refuse("015", "Token expired or revoked.")
		}
		t.used = &now
		c.user = c.s.users[t.user]
		return answer{}, true
	case "basic":
		raw, err := base64.StdEncoding.DecodeString(rest)
		name, password, ok := strings.Cut(string(raw), ":")
		if err != nil || !ok {
			return refuse("277", "Invalid basic header. Credentials not correctly base64 encoded.")
		}
		if password == "" {
			return c.crash("337", "Exception"), false
		}
		c.cookie = true
		c.s.mu.RLock()
		defer c.s.mu.RUnlock()
		for _, a := range c.s.users {
			if a.name == name && a.password == password {
				c.user = a
				return answer{}, true
			}
		}
		return refuse("002", "Invalid username/password.")
	}
	recording := "001"
	if scheme != "" {
		recording = "005" // a scheme that no authenticator knows
	}
	return refuse(recording, "Authentication credentials were not provided.")
}

func detailed(text string) []byte {
	return append(appendString([]byte(`{"detail":`), text), '}')
}

// teams of the caller; what is in none of them is hidden.
func (c *call) teams() []int {
	u := c.s.st["users"]
	ids, _ := u.get(u.byID[c.user.id], "team_set").([]int)
	return ids
}

// tokenCalls are /users/api/tokens/ and a token's revoke.
func (c *call) tokenCalls(rest []string) answer {
	if len(rest) == 2 && rest[1] == "revoke" {
		if a, ok := c.login("POST, OPTIONS"); !ok {
			return a
		}
		id, _ := strconv.Atoi(rest[0])
		now := c.s.stamp()
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		for _, t := range c.s.tokens {
			if t.id == id && t.user == c.user.id {
				t.ended = &now
				return answer{recording: "014", status: 200, allow: "POST, OPTIONS", body: []byte(`{"status":"revoked"}`)}
			}
		}
		return answer{recording: "039", status: 404, allow: "POST, OPTIONS", body: detailed("No PersonalAccessToken matches the given query.")}
	}
	if a, ok := c.login(onList); !ok {
		return a
	}
	if c.Method == "POST" {
		in, bad := c.input()
		if bad != nil {
			return *bad
		}
		name, _ := in.value["name"].(string)
		if name == "" {
			return answer{recording: "008", status: 400, allow: onList, body: []byte(`{"name":["This field is required."]}`)}
		}
		var expires *time.Time
		if text, ok := in.value["expires_at"].(string); ok {
			if t, err := parseMoment(text); err == nil {
				expires = &t
			}
		}
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		t := c.s.mint(c.user.id, name, expires)
		b := t.append([]byte(`{`), false)
		b = appendString(append(b, `,"token":`...), "pat_"+t.prefix+"."+t.secret)
		return answer{recording: "006", status: 201, allow: onList, body: append(b, '}')}
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	b := []byte(`,"next":null,"previous":null,"results":[`)
	n := 0
	for _, t := range slices.Backward(c.s.tokens) {
		if t.user != c.user.id {
			continue
		}
		if n++; n > 1 {
			b = append(b, ',')
		}
		b = append(t.append(append(b, '{'), true), '}')
	}
	b = append(append([]byte(`{"count":`), strconv.Itoa(n)...), b...)
	return answer{recording: "009", status: 200, allow: onList, body: append(b, ']', '}')}
}

func (t *token) append(b []byte, listed bool) []byte {
	when := func(name string, at *time.Time) {
		b = append(b, `,"`+name+`":`...)
		if at == nil {
			b = append(b, "null"...)
		} else {
			b = appendValue(b, *at)
		}
	}
	b = append(b, `"id":`+strconv.Itoa(t.id)...)
	b = appendString(append(b, `,"name":`...), t.name)
	b = appendString(append(b, `,"prefix":`...), t.prefix)
	when("created_at", &t.created)
	if listed {
		when("last_used_at", t.used)
	}
	when("expires_at", t.expires)
	if listed {
		when("revoked_at", t.ended)
	}
	return b
}
