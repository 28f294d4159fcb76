package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

// imageOptions are the flags that choose images, whatever the algorithm calls the
// parameter for them.
type imageOptions struct {
	image     []string
	allImages bool
}

func (o *imageOptions) addImageFlags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.image, "image", nil, "run on this image: `NAME`, id or named selection; again for more")
	f.BoolVar(&o.allImages, "all-images", false, "run on all images of the project")
}

// images adds to the values set by hand the images that flags choose.
func (o *imageOptions) images(ctx context.Context, s *app.Session, a client.Algorithm, set []client.Value) ([]client.Value, error) {
	if len(o.image) == 0 && !o.allImages {
		return set, nil
	}
	if len(o.image) > 0 && o.allImages {
		return nil, usageError(errors.New("--image names images, --all-images takes all; use one of the two"))
	}
	p, ok := app.ImagesParameter(a)
	if !ok {
		return nil, usageError(fmt.Errorf("%s has no parameter for images", text.Line(a.FullName())))
	}
	v := client.Value{Parameter: p.ID, Text: "all", Origin: client.FromUser}
	if len(o.image) > 0 {
		options, err := s.OptionsNamed(ctx, p, o.image)
		if err != nil {
			return nil, err
		}
		var ids []string
		for _, o := range options {
			ids = append(ids, strconv.FormatInt(int64(o.ID), 10))
			v.Labels = append(v.Labels, app.OptionLabel(p, o))
		}
		v.Text = strings.Join(ids, ",")
	}
	return append(set[:len(set):len(set)], v), nil
}

// perImage makes a launch on a server whose jobs are over one image each a split of
// its images.
func (o *runOptions) perImage(a client.Algorithm) error {
	if !app.PerImage(a) {
		return nil
	}
	const each = descriptor.ImagesParameter + ":1"
	if o.split != "" && o.split != each && o.split != descriptor.ImagesParameter {
		return usageError(errors.New("a job on EXACT is over one image, so that a launch is one analysis for each image; leave --split out"))
	}
	o.split = each
	return nil
}

// settle decides about the jobs that images of a launch have already: as
// --existing says, or as the person answers.
func (c *cli) settle(ctx context.Context, s *app.Session, requests []app.LaunchRequest, o runOptions) ([]app.LaunchRequest, error) {
	how := o.existing
	if how != "" && how != app.SkipExisting && how != app.RedoExisting {
		return nil, usageError(fmt.Errorf("--existing is %s or %s, not %q", app.SkipExisting, app.RedoExisting, how))
	}
	existing, err := s.Existing(ctx, requests)
	if err != nil || len(existing) == 0 {
		return requests, err
	}
	if how == "" {
		const shown = 5
		for _, e := range existing[:min(len(existing), shown)] {
			c.say("%s", e)
		}
		if more := len(existing) - shown; more > 0 {
			c.say("and %d more", more)
		}
		if c.asks() {
			how = c.choose(fmt.Sprintf("%d of %d images have a job of this algorithm already; skip them, or redo them, which deletes what their jobs wrote on the server?", len(existing), len(requests)),
				app.SkipExisting, app.RedoExisting)
		}
	}
	if how == "" {
		return nil, usageError(fmt.Errorf("nothing launched: %d of %d images have a job of this algorithm already, and EXACT keeps one for each; --existing skip leaves them out, --existing redo runs them again and deletes what they wrote on the server",
			len(existing), len(requests)))
	}
	return app.Settle(requests, existing, how)
}
