package embedded

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the protocol prescribes it
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
)

// identity is who a request comes from: a person, or the user of a job acting
// for the person who launched it.
type identity struct {
	id         int64
	username   string
	algo       bool
	job        int64 // the job of a job's user
	human      int64 // the person behind it; id itself for a person
	role       string
	privateKey string
	enabled    bool
}

// isAdmin reports whether the person behind the request administers the server.
func (u *identity) isAdmin() bool { return u != nil && u.role == roleAdmin }

const (
	roleAdmin = "ROLE_ADMIN"
	roleUser  = "ROLE_USER"
	roleGuest = "ROLE_GUEST"
)

// sign computes the signature of a request: base64(HMAC-SHA1(private key, method,
// Content-MD5, Content-Type, date and path with query, each as on the wire)).
func sign(key, method, md5, contentType, date, pathQuery string) string {
	m := hmac.New(sha1.New, []byte(key))
	m.Write([]byte(method + "\n" + md5 + "\n" + contentType + "\n" + date + "\n" + pathQuery))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// authenticate returns who signed the request: nil when nobody did or the
// signature is wrong, an error when the key is unknown or disabled.
func (s *Server) authenticate(r *http.Request) (*identity, error) {
	authorization := r.Header.Get("Authorization")
	date := r.Header.Get("Date")
	if date == "" || r.Host == "" || !strings.HasPrefix(authorization, "CYTOMINE") {
		return nil, nil
	}
	space, colon := strings.IndexByte(authorization, ' '), strings.IndexByte(authorization, ':')
	if space < 0 || colon < space {
		return nil, nil
	}
	user, err := s.identity(s.store.read(r.Context()), "u.public_key=?", authorization[space+1:colon])
	if err != nil {
		return nil, err
	}
	if user == nil || !user.enabled {
		return nil, &apiError{status: http.StatusUnauthorized, text: "Unauthorized", body: plain("Unauthorized")}
	}
	path := r.RequestURI
	if i := strings.Index(path, "://"); i >= 0 && i < strings.IndexByte(path, '/') { // absolute form, from a proxy
		path = path[i+3:]
		path = path[strings.IndexByte(path+"/", '/'):]
	}
	want := sign(user.privateKey, r.Method, r.Header.Get("Content-MD5"), r.Header.Get("Content-Type"), date, path)
	if subtle.ConstantTimeCompare([]byte(want), []byte(authorization[colon+1:])) != 1 {
		return nil, nil
	}
	return user, nil
}

// identity loads a user; a job's user has the role of its person.
func (s *Server) identity(q querier, where string, arg any) (*identity, error) {
	var u identity
	ok, err := one(q, `SELECT u.id, u.username, u.algo, COALESCE(u.job, 0), COALESCE(u.human, u.id), COALESCE(h.role, u.role),
		u.private_key, u.enabled AND COALESCE(h.enabled, 1)
		FROM user u LEFT JOIN user h ON h.id = u.human WHERE `+where, []any{arg},
		&u.id, &u.username, &u.algo, &u.job, &u.human, &u.role, &u.privateKey, &u.enabled)
	if err != nil || !ok {
		return nil, err
	}
	return &u, nil
}
