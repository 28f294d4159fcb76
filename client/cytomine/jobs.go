package cytomine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
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
