package exact

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/cytorun/cytorun/client"
)

type wireToken struct {
	ID      client.ID
	Name    text
	Prefix  text
	Created text `json:"created_at"`
	Used    text `json:"last_used_at"`
	Expires text `json:"expires_at"`
	Revoked text `json:"revoked_at"`
	Token   text
}

func (c *Client) tokenOf(w wireToken) Token {
	return Token{ID: w.ID, Name: string(w.Name), Prefix: string(w.Prefix), Created: c.clock.instant(string(w.Created)),
		Expires: c.clock.instant(string(w.Expires)), Revoked: w.Revoked != "", Secret: string(w.Token)}
}

// MintToken makes a personal access token; it has all the rights of the user.
// expires may be zero for never.
func (c *Client) MintToken(ctx context.Context, name string, expires time.Time) (Token, error) {
	request := map[string]any{"name": name}
	if !expires.IsZero() {
		if err := c.learn(ctx); err != nil {
			return Token{}, err
		}
		request["expires_at"] = c.clock.naive(expires)
	}
	var w wireToken
	response, err := c.write(ctx, http.MethodPost, tokensPath, request, &w)
	if err != nil {
		return Token{}, err
	}
	c.clock.observe(string(w.Created), response.Header().Get("Date"))
	if !isToken(string(w.Token)) {
		return Token{}, c.unreadable(tokensPath, errors.New("no token in it"))
	}
	return c.tokenOf(w), nil
}

// Tokens lists the user's own tokens, newest first, without their secrets.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) {
	if err := c.learn(ctx); err != nil {
		return nil, err
	}
	tokens := []Token{}
	err := c.each(ctx, tokensPath, func(raw []byte) error {
		var w wireToken
		if json.Unmarshal(raw, &w) == nil {
			tokens = append(tokens, c.tokenOf(w))
		}
		return nil
	})
	return tokens, err
}

// RevokeToken makes a token of the user worthless.
func (c *Client) RevokeToken(ctx context.Context, id client.ID) error {
	_, err := c.do(ctx, call{method: http.MethodPost, path: one(tokensPath, id) + "revoke/", body: []byte("{}"), contentType: "application/json"})
	return err
}

// learn finds out the zone of the server's times, unless it is known: the server
// notes when a token was used last, and using ours to ask stamps it. With other
// credentials only what is created on the way teaches it; until then the server's
// default holds.
func (c *Client) learn(ctx context.Context) error {
	if c.clock.fresh() || c.Token() == "" {
		return nil
	}
	response, err := c.do(ctx, call{method: http.MethodGet, path: with(tokensPath, "limit", "10000")})
	if errors.Is(err, client.ErrUnauthorised) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	c.clock.asked()
	if err != nil {
		return nil // whoever asked learns from its own request what is wrong
	}
	var page struct{ Results []wireToken }
	if json.Unmarshal(response.Body(), &page) != nil {
		return nil
	}
	prefix, _, _ := strings.Cut(strings.TrimPrefix(c.keys.Private, "pat_"), ".")
	for _, w := range page.Results {
		if string(w.Prefix) == prefix {
			c.clock.observe(string(w.Used), response.Header().Get("Date"))
		}
	}
	return nil
}

// ServerNow is what the server's clock shows, in the zone that it writes times in.
func (c *Client) ServerNow(ctx context.Context) (time.Time, error) {
	if err := c.learn(ctx); err != nil {
		return time.Time{}, err
	}
	return c.clock.serverNow(), nil
}
