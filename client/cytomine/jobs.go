package cytomine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
)

// Limits of the server's columns, in characters.
const (
	maxComment = 255
	maxValue   = 5000
)

type wireJob struct {
	ID, Number, Project, Software, Status, Progress, UserJob number
	SoftwareName, StatusComment, Username                    text
	Created, Updated                                         moment
	DataDeleted, Favorite                                    truth
	JobParameters                                            list[wireJobParameter]
}

type wireJobParameter struct {
	ID, Index, SoftwareParameter number
	Name, HumanName, Type        text
	Value                        value
}

// masked replaces the value of a parameter that holds a key.
const masked = "••••"

func (w wireJobParameter) parameter() client.JobParameter {
	p := client.JobParameter{
		ID: w.ID.id(), Parameter: w.SoftwareParameter.id(), Name: string(w.Name),
		Label: cmp.Or(string(w.HumanName), string(w.Name)), Type: string(w.Type), Value: w.Value.text,
	}
	if p.Value != nil && isSecret(p.Name) {
		hidden := masked
		p.Value = &hidden
	}
	return p
}

func isSecret(name string) bool { return descriptor.Parameter{ID: name}.IsSecret() }

// jobOf reads a job. raw is copied.
func jobOf(raw []byte) (client.Job, error) {
	var w wireJob
	if err := json.Unmarshal(raw, &w); err != nil {
		return client.Job{}, err
	}
	job := client.Job{
		ID: w.ID.id(), Number: int(w.Number), Project: w.Project.id(),
		Algorithm: w.Software.id(), AlgorithmName: string(w.SoftwareName),
		Status: client.Status(w.Status), Progress: int(w.Progress), Comment: string(w.StatusComment),
		Created: w.Created.time(), Updated: w.Updated.time(), Username: string(w.Username), UserJob: w.UserJob.id(),
		DataDeleted: bool(w.DataDeleted), Favorite: bool(w.Favorite),
		Parameters: jobParametersOf(w.JobParameters), Raw: hideSecrets(raw),
	}
	return job, nil
}

// jobParametersOf keeps nil (not asked for) apart from none.
func jobParametersOf(wire []wireJobParameter) []client.JobParameter {
	if wire == nil {
		return nil
	}
	slices.SortStableFunc(wire, func(a, b wireJobParameter) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.ID, b.ID))
	})
	all := make([]client.JobParameter, 0, len(wire))
	for _, w := range wire {
		all = append(all, w.parameter())
	}
	return all
}

// hideSecrets gives a copy of a job without the keys that some lists of the
// server show.
func hideSecrets(raw []byte) json.RawMessage {
	var job map[string]json.RawMessage
	var parameters []map[string]json.RawMessage
	if json.Unmarshal(raw, &job) != nil || json.Unmarshal(job["jobParameters"], &parameters) != nil {
		return slices.Clone(raw)
	}
	found := false
	for _, p := range parameters {
		if isSecret(string(scalar(p["name"]))) && len(scalar(p["value"])) > 0 {
			p["value"], _ = json.Marshal(masked)
			found = true
		}
	}
	if !found {
		return slices.Clone(raw)
	}
	job["jobParameters"], _ = json.Marshal(parameters) // what was just read
	hidden, _ := json.Marshal(job)
	return hidden
}

// Jobs lists one page of jobs, newest first.
func (c *Client) Jobs(ctx context.Context, f client.JobFilter) (client.JobPage, error) {
	page := client.JobPage{Offset: f.Offset, Jobs: []client.Job{}}
	size, err := c.rows(ctx, jobsPath(f), func(raw []byte) error {
		if job, err := jobOf(raw); err == nil && job.ID != 0 {
			if !f.WithParameters {
				job.Parameters = nil
			}
			page.Jobs = append(page.Jobs, job)
		}
		return nil
	})
	if err != nil {
		return client.JobPage{}, err
	}
	page.Total = max(size, f.Offset+len(page.Jobs))
	return page, nil
}

func jobsPath(f client.JobFilter) string {
	if f.Max <= 0 {
		f.Max = 100
	}
	var pairs []string
	add := func(name, value string) { pairs = append(pairs, name, value) }
	// The server splits the values of a bracketed filter at commas and decodes
	// each once more.
	filter := func(name string, values ...string) {
		for i := range values {
			values[i] = url.QueryEscape(values[i])
		}
		add(name, strings.Join(values, ","))
	}
	if f.Project != 0 {
		add("project", fmt.Sprint(f.Project))
	}
	if len(f.Algorithms) > 0 {
		add("software", join(f.Algorithms))
	}
	add("withJobParameters", strconv.FormatBool(f.WithParameters))
	if len(f.Statuses) > 0 {
		numbers := make([]string, len(f.Statuses))
		for i, s := range f.Statuses {
			numbers[i] = strconv.Itoa(int(s))
		}
		filter("status[in]", numbers...)
	}
	if len(f.Usernames) > 0 {
		filter("username[in]", slices.Clone(f.Usernames)...)
	}
	if !f.CreatedAfter.IsZero() {
		filter("created[gte]", fmt.Sprint(f.CreatedAfter.UnixMilli()))
	}
	if !f.CreatedBefore.IsZero() {
		filter("created[lte]", fmt.Sprint(f.CreatedBefore.UnixMilli()))
	}
	add("sort", "created")
	add("order", "desc")
	add("max", fmt.Sprint(f.Max))
	add("offset", fmt.Sprint(f.Offset))
	return with("/api/job.json", pairs...)
}

func join[T any](items []T) string {
	words := make([]string, len(items))
	for i, item := range items {
		words[i] = fmt.Sprint(item)
	}
	return strings.Join(words, ",")
}

func jobPath(id client.ID) string { return fmt.Sprintf("/api/job/%d.json", id) }

// Job reads one job with its parameters.
func (c *Client) Job(ctx context.Context, id client.ID) (client.Job, error) {
	raw, err := c.do(ctx, call{method: http.MethodGet, path: jobPath(id)})
	if err != nil {
		return client.Job{}, err
	}
	job, err := c.readJob(jobPath(id), raw)
	if err != nil || job.Parameters != nil {
		return job, err
	}
	wire := []wireJobParameter{}
	err = c.each(ctx, fmt.Sprintf("/api/job/%d/parameter.json", id), func(raw []byte) error {
		var p wireJobParameter
		if json.Unmarshal(raw, &p) == nil {
			wire = append(wire, p)
		}
		return nil
	})
	if err != nil {
		return client.Job{}, err
	}
	job.Parameters = jobParametersOf(wire)
	return job, nil
}

func (c *Client) readJob(path string, raw []byte) (client.Job, error) {
	job, err := jobOf(raw)
	if err == nil && job.ID == 0 {
		err = errors.New("no job in it")
	}
	if err != nil {
		return client.Job{}, c.unreadable(path, raw, err)
	}
	return job, nil
}

// ValueTooLongError tells that a value does not fit into the server's column.
// It is client.ErrInvalid.
type ValueTooLongError struct {
	Parameter   client.ID
	Length, Max int // in characters
}

// Error says what to do about it.
func (e *ValueTooLongError) Error() string {
	return fmt.Sprintf("the value of parameter %d has %d characters, the server takes %d; choose fewer items, or start one analysis for each part", e.Parameter, e.Length, e.Max)
}

// Unwrap gives client.ErrInvalid.
func (e *ValueTooLongError) Unwrap() error { return client.ErrInvalid }

// CreateJob makes a job with its parameters and its own user in one request.
// Where the answer is lost the job may exist: look for it before trying again.
func (c *Client) CreateJob(ctx context.Context, j client.NewJob) (client.Job, error) {
	type param struct {
		SoftwareParameter client.ID `json:"softwareParameter"`
		Value             string    `json:"value"`
	}
	params := make([]param, 0, len(j.Parameters))
	for _, p := range j.Parameters {
		// The server counts as Java does.
		if n := len(utf16.Encode([]rune(p.Value))); n > maxValue {
			return client.Job{}, &ValueTooLongError{p.Parameter, n, maxValue}
		}
		params = append(params, param{p.Parameter, p.Value})
	}
	request := map[string]any{"project": j.Project, "software": j.Algorithm, "params": params, "status": j.Status}
	if j.Comment != "" {
		request["statusComment"] = cut(j.Comment, maxComment)
	}
	const path = "/api/job.json"
	answer, err := c.write(ctx, http.MethodPost, path, request)
	if err != nil {
		return client.Job{}, err
	}
	job, err := c.readJob(path, unwrap(answer, "job"))
	if err != nil {
		return client.Job{}, err
	}
	if len(job.Parameters) >= len(params) && job.UserJob != 0 {
		return job, nil
	}
	// The server renders its answer before it stores the parameters.
	if whole, err := c.Job(ctx, job.ID); err == nil {
		return whole, nil
	}
	return job, nil // it exists, which is what counts
}

// UpdateJob reads the job, lets change edit it and writes the whole object
// back. Updates of one job by this Client wait for each other; between two
// programs the last one wins, because the server has no compare-and-set.
func (c *Client) UpdateJob(ctx context.Context, id client.ID, change func(*client.JobChange) error) (client.Job, error) {
	unlock, err := c.updates.lock(ctx, id)
	if err != nil {
		return client.Job{}, c.failed(ctx, err)
	}
	defer unlock()
	raw, err := c.do(ctx, call{method: http.MethodGet, path: jobPath(id)})
	if err != nil {
		return client.Job{}, err
	}
	job, err := c.readJob(jobPath(id), raw)
	if err != nil {
		return client.Job{}, err
	}
	before := client.JobChange{Status: job.Status, Progress: job.Progress, Comment: job.Comment}
	after := before
	if err := change(&after); errors.Is(err, client.ErrNoChange) {
		return job, nil
	} else if err != nil {
		return client.Job{}, err
	}
	after.Comment = cut(after.Comment, maxComment)
	if after == before {
		return job, nil
	}
	body, err := changed(raw, before, after)
	if err != nil {
		return client.Job{}, c.unreadable(jobPath(id), raw, err)
	}
	answer, err := c.do(ctx, call{method: http.MethodPut, path: jobPath(id), body: body, contentType: "application/json"})
	if err != nil {
		return client.Job{}, err
	}
	return c.readJob(jobPath(id), unwrap(answer, "job"))
}

// changed writes what differs into the raw object.
func changed(raw []byte, before, after client.JobChange) ([]byte, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, err
	}
	fields := map[string]any{}
	if after.Status != before.Status {
		fields["status"] = int(after.Status)
	}
	if after.Progress != before.Progress {
		fields["progress"] = after.Progress
	}
	if after.Comment != before.Comment {
		fields["statusComment"] = after.Comment
	}
	for name := range maps.Keys(fields) {
		value, err := json.Marshal(fields[name])
		if err != nil {
			return nil, err
		}
		object[name] = value
	}
	return json.Marshal(object)
}

// JobKeys gives the keys of the job's own user.
func (c *Client) JobKeys(ctx context.Context, job client.Job) (client.Keys, error) {
	if job.UserJob == 0 {
		whole, err := c.Job(ctx, job.ID)
		if err != nil {
			return client.Keys{}, err
		}
		if job = whole; job.UserJob == 0 {
			return client.Keys{}, fmt.Errorf("job %d has no user of its own: %w; start a new analysis", job.ID, client.ErrNotFound)
		}
	}
	var w struct{ PublicKey, PrivateKey text }
	err := c.get(ctx, fmt.Sprintf("/api/userJob/%d.json", job.UserJob), &w)
	if err == nil && (w.PublicKey == "" || w.PrivateKey == "") || errors.Is(err, client.ErrNotFound) {
		err = c.get(ctx, fmt.Sprintf("/api/user/%d.json", job.UserJob), &w)
	}
	if err != nil {
		return client.Keys{}, err
	}
	if w.PublicKey == "" || w.PrivateKey == "" {
		return client.Keys{}, fmt.Errorf("%s does not give the keys of job %d: %w; only who started the job may have them", c.base, job.ID, client.ErrForbidden)
	}
	return client.Keys{Public: string(w.PublicKey), Private: string(w.PrivateKey)}, nil
}
