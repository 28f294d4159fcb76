package exact

import (
	"context"
	"fmt"

	"github.com/cytorun/cytorun/client"
)

func notYet(what string) error { return fmt.Errorf("%s on EXACT: %w", what, client.ErrUnsupported) }

// Options fetches the options of a Domain or ListDomain parameter: images or
// annotation types of the image set.
func (c *Client) Options(ctx context.Context, q client.OptionQuery, page func([]client.Option) error) error {
	return notYet("choices")
}

// AnnotationCounts counts the annotations of a job per annotation type, in its plugin
// result and among the ordinary ones that name the job in their meta data.
func (c *Client) AnnotationCounts(ctx context.Context, job client.Job) ([]client.TermCount, error) {
	return nil, notYet("annotation counts")
}

// AnnotationsByImage counts the annotations of a job on its image.
func (c *Client) AnnotationsByImage(ctx context.Context, job client.Job) (map[client.ID]int, error) {
	return nil, notYet("annotation counts")
}

// Annotations lists what a job drew.
func (c *Client) Annotations(ctx context.Context, job client.Job, shapes bool, each func(client.Annotation) error) error {
	return notYet("annotations")
}

// DeleteResults deletes the plugin result of a job, and the ordinary annotations
// that name it.
func (c *Client) DeleteResults(ctx context.Context, job client.ID) error {
	return notYet("deleting results")
}

// DeleteJob deletes a job with its results.
func (c *Client) DeleteJob(ctx context.Context, id client.ID) error {
	return notYet("deleting jobs")
}

// CreatePlugin registers a plugin.
func (c *Client) CreatePlugin(ctx context.Context, n NewPlugin) (Plugin, error) {
	return Plugin{}, notYet("registering")
}

// DownloadImage downloads an image into a folder and gives the path of the file to
// open there, which is below dir whatever the image is called: an .mrxs or .vsi
// image comes with a folder beside it. A file that is there already, complete, is
// not downloaded again.
func (c *Client) DownloadImage(ctx context.Context, image client.ID, dir string) (path string, err error) {
	return "", notYet("downloads")
}

func localName(s string) string { return "image" }
