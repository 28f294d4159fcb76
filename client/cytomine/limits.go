package cytomine

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// Limits reads the constraints that the server stores of parameters, by the
// server's ids of the parameters; most have none. Only what a constraint is
// called and its value count: the expressions by which the server would judge
// values are partly wrong (the minimum of a Number tests for at most, contract
// §2.4), so it is never asked to.
func (c *Client) Limits(ctx context.Context, parameters []client.Parameter) (map[client.ID]client.Limits, error) {
	names, err := c.constraintNames(ctx)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	var (
		all      sync.WaitGroup
		lock     sync.Mutex
		found    = map[client.ID]client.Limits{}
		firstErr error
		slots    = make(chan struct{}, 6)
	)
	for _, p := range parameters {
		if p.IsServerInput() || p.ServerID == 0 {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			limits, any, err := c.limitsOf(ctx, p, names)
			lock.Lock()
			defer lock.Unlock()
			if any {
				found[p.ServerID] = limits
			}
			if err != nil && firstErr == nil {
				firstErr = err
			}
		})
	}
	all.Wait()
	return found, firstErr
}

// constraintNames are the kinds of constraint that the server knows, by id.
func (c *Client) constraintNames(ctx context.Context) (map[client.ID]string, error) {
	names := map[client.ID]string{}
	err := c.each(ctx, "/api/parameter_constraint.json", func(raw []byte) error {
		var w struct {
			ID   number
			Name text
		}
		if json.Unmarshal(raw, &w) == nil {
			names[w.ID.id()] = strings.ToLower(strings.TrimSpace(string(w.Name)))
		}
		return nil
	})
	return names, err
}

func (c *Client) limitsOf(ctx context.Context, p client.Parameter, names map[client.ID]string) (l client.Limits, any bool, err error) {
	err = c.each(ctx, fmt.Sprintf("/api/software_parameter/%d/software_parameter_constraint.json", p.ServerID), func(raw []byte) error {
		var w struct {
			Value               text
			ParameterConstraint number
		}
		if json.Unmarshal(raw, &w) == nil && addLimit(&l, p.Type, names[w.ParameterConstraint.id()], string(w.Value)) {
			any = true
		}
		return nil
	})
	return l, any, err
}

// addLimit adds one constraint and tells whether it had a meaning.
func addLimit(l *client.Limits, t descriptor.Type, name, value string) bool {
	value = strings.TrimSpace(value)
	if value == "" {
		return false
	}
	switch name {
	case "minimum":
		l.Minimum = &value
	case "maximum":
		l.Maximum = &value
	case "integer":
		l.Integer = strings.EqualFold(value, "true") || value == "1"
	case "equals":
		l.Choices = choicesOf(t, []string{value})
	case "in":
		l.Choices = choicesOf(t, listOf(value))
	default:
		return false
	}
	return true
}

// listOf takes a list of choices apart: the server splits at ð, but what
// registers algorithms writes it like a list of Groovy, "[a, b]".
func listOf(value string) []string {
	if strings.Contains(value, "ð") {
		return strings.Split(value, "ð")
	}
	if inner, ok := strings.CutPrefix(value, "["); ok && strings.HasSuffix(inner, "]") {
		return strings.Split(strings.TrimSuffix(inner, "]"), ", ")
	}
	return []string{value}
}

// choicesOf gives the choices that are values of the type, in canonical text.
func choicesOf(t descriptor.Type, texts []string) []string {
	var choices []string
	for _, s := range texts {
		if v, err := descriptor.ParseValue(t, s); err == nil && v.IsSet() {
			choices = append(choices, v.Text())
		}
	}
	return choices
}
