package program

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // formats of the demo's images
	_ "image/png"
	"io"
	"net/http"
	"strconv"
	"time"
)

// States of a job on the server.
const (
	statusRunning = 2
	statusSuccess = 3
	statusFailed  = 4
)

// job is what a program works for: the server's record of this execution.
type job struct {
	api     *api
	id      int64
	project int64
	out     io.Writer
	started time.Time
}

// open finds out from the keys which job this is and says that it runs.
func open(s site, out io.Writer) (*job, error) {
	a, err := newAPI(s)
	if err != nil {
		return nil, err
	}
	var user struct {
		Algo     bool
		Username string
		Job      int64
	}
	if err := a.get("/api/user/current.json", &user); err != nil {
		return nil, err
	}
	if !user.Algo || user.Job == 0 {
		return nil, fmt.Errorf("the keys belong to %s, not to a job; start this program with the keys of a job", user.Username)
	}
	j := &job{api: a, id: user.Job, project: int64(s.project), out: out, started: time.Now()}
	if j.project == 0 {
		return nil, errors.New("need --cytomine_id_project")
	}
	j.log("job %d in project %d on %s", j.id, j.project, a.base)
	return j, j.report(statusRunning, 0, "Starting")
}

// log prints a line for people.
func (j *job) log(format string, args ...any) {
	fmt.Fprintf(j.out, "%s %s\n", time.Now().UTC().Format("15:04:05.000"), fmt.Sprintf(format, args...))
}

// progress tells the server and the log how far the work is: done of total.
func (j *job) progress(done, total int, comment string) error {
	j.log("%s", comment)
	return j.report(statusRunning, 100*done/max(total, 1), comment)
}

// end sets the final state: cause is why the work failed, nil if it did not.
func (j *job) end(summary string, cause error) error {
	if cause != nil {
		return j.report(statusFailed, -1, cause.Error())
	}
	j.log("%s", summary)
	j.log("done in %.1f s", time.Since(j.started).Seconds())
	return j.report(statusSuccess, 100, summary)
}

// report changes the job on the server. A PUT replaces the whole object, so it
// is read first. A negative progress stays as it is.
func (j *job) report(status, progress int, comment string) error {
	path := fmt.Sprintf("/api/job/%d.json", j.id)
	var record map[string]any
	if err := j.api.get(path, &record); err != nil {
		return err
	}
	record["status"] = status
	if progress >= 0 {
		record["progress"] = progress
	}
	if r := []rune(comment); len(r) > 255 {
		comment = string(r[:255])
	}
	record["statusComment"] = comment
	return j.api.send(http.MethodPut, path, record, nil)
}

// picture is an image of the project.
type picture struct {
	ID      int64
	Name    string `json:"instanceFilename"`
	Width   int
	Height  int
	Created json.Number // milliseconds since 1970, in quotes or not
}

// added is when the image came into the project, zero where unknown.
func (p picture) added() time.Time {
	ms, err := strconv.ParseInt(string(p.Created), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// pictures lists the chosen images in the order chosen, or all images of the
// project where none was chosen.
func (j *job) pictures(chosen []int64) ([]picture, error) {
	var list struct{ Collection []picture }
	if err := j.api.get(fmt.Sprintf("/api/project/%d/imageinstance.json?max=0&offset=0", j.project), &list); err != nil {
		return nil, err
	}
	if len(chosen) == 0 {
		if len(list.Collection) == 0 {
			return nil, fmt.Errorf("project %d has no images", j.project)
		}
		return list.Collection, nil
	}
	byID := make(map[int64]picture, len(list.Collection))
	for _, p := range list.Collection {
		byID[p.ID] = p
	}
	out := make([]picture, len(chosen))
	for i, id := range chosen {
		p, ok := byID[id]
		if !ok {
			return nil, fmt.Errorf("project %d has no image %d", j.project, id)
		}
		out[i] = p
	}
	return out, nil
}

// maxPixels is the largest image that is decoded: such programs hold an image
// in memory several times.
const maxPixels = 100 << 20

// download fetches an image and decodes it.
func (j *job) download(p picture) (image.Image, error) {
	data, err := j.api.do(http.MethodGet, fmt.Sprintf("/api/imageinstance/%d/download", p.ID), "", nil)
	if err != nil {
		return nil, err
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("cannot read image %s: %w", p.Name, err)
	}
	if c.Width*c.Height > maxPixels {
		return nil, fmt.Errorf("image %s has %d x %d pixels, more than this program can take", p.Name, c.Width, c.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("cannot read image %s: %w", p.Name, err)
	}
	return img, nil
}

// annotation is a shape to store on the server.
type annotation struct {
	Location string  `json:"location"` // WKT, y from the bottom
	Image    int64   `json:"image"`
	Project  int64   `json:"project"`
	Term     []int64 `json:"term,omitempty"`
}

// chunk is how many annotations go to the server at once.
const chunk = 50

// annotate stores shapes (WKT) on an image, with a term where term is not 0.
func (j *job) annotate(p picture, shapes []string, term int64) error {
	for len(shapes) > 0 {
		n := min(chunk, len(shapes))
		batch := make([]annotation, n)
		for i, wkt := range shapes[:n] {
			batch[i] = annotation{Location: wkt, Image: p.ID, Project: j.project}
			if term != 0 {
				batch[i].Term = []int64{term}
			}
		}
		if err := j.api.send(http.MethodPost, "/api/annotation.json", batch, nil); err != nil {
			return err
		}
		shapes = shapes[n:]
	}
	return nil
}

// store attaches a result file to the job.
func (j *job) store(name string, data []byte) error {
	var made struct{ JobData struct{ ID int64 } }
	record := map[string]any{"job": j.id, "key": name, "filename": name}
	if err := j.api.send(http.MethodPost, "/api/jobdata.json", record, &made); err != nil {
		return err
	}
	j.log("uploading %s, %d bytes", name, len(data))
	return j.api.upload(fmt.Sprintf("/api/jobdata/%d/upload", made.JobData.ID), name, data)
}

// load fetches the result file of the given name of another job.
func (j *job) load(other int64, name string) ([]byte, error) {
	var list struct {
		Collection []struct {
			ID       int64
			Filename string
		}
	}
	if err := j.api.get(fmt.Sprintf("/api/job/%d/jobdata.json", other), &list); err != nil {
		return nil, err
	}
	for _, f := range list.Collection {
		if f.Filename == name {
			return j.api.do(http.MethodGet, fmt.Sprintf("/api/jobdata/%d/download", f.ID), "", nil)
		}
	}
	return nil, fmt.Errorf("job %d has no file %s", other, name)
}

// setProperty sets a property of an image, or changes the one that is there.
func (j *job) setProperty(p picture, key, value string) error {
	err := j.trySetProperty(p, key, value)
	if err != nil {
		// Another job may have added it between our look and our POST.
		err = j.trySetProperty(p, key, value)
	}
	return err
}

func (j *job) trySetProperty(p picture, key, value string) error {
	domain := fmt.Sprintf("/api/domain/be.cytomine.image.ImageInstance/%d/property", p.ID)
	var list struct {
		Collection []struct {
			ID  int64
			Key string
		}
	}
	if err := j.api.get(domain+".json", &list); err != nil {
		return err
	}
	record := map[string]any{"domainClassName": "be.cytomine.image.ImageInstance", "domainIdent": p.ID, "key": key, "value": value}
	for _, old := range list.Collection {
		if old.Key == key {
			record["id"] = old.ID
			return j.api.send(http.MethodPut, fmt.Sprintf("%s/%d.json", domain, old.ID), record, nil)
		}
	}
	return j.api.send(http.MethodPost, domain+".json", record, nil)
}
