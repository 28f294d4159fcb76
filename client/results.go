package client

import (
	"context"
	"time"
)

// Annotation is one shape that a job drew on an image.
type Annotation struct {
	ID        ID
	Image     ID
	ImageName string // may be empty
	// Terms are its terms, TermNames their names in the same order; none is usual.
	Terms     []ID
	TermNames []string
	// Area is in Unit ("px²" or "µm²"), 0 with an empty Unit where the server
	// gives none.
	Area float64
	Unit string
	// Score is what the job thought of its terms, usually 0..1; Scored tells
	// whether it said so.
	Score  float64
	Scored bool
	// Reviewed tells that a person has confirmed it.
	Reviewed bool
	Created  time.Time
	// Shape is WKT in pixels, the origin at the bottom left; empty unless it was
	// asked for.
	Shape string
}

// AnnotationLister hands out what a job drew, one by one.
type AnnotationLister interface {
	// Annotations calls each for every annotation of a job, in any order; an
	// error from it stops the listing. shapes asks for the shapes too, which are
	// most of the bytes.
	Annotations(ctx context.Context, job Job, shapes bool, each func(Annotation) error) error
}

// Image is a microscope image of a project.
type Image struct {
	ID            ID
	Name          string
	Width, Height int // pixels, 0 unknown
	// Resolution is micrometres per pixel, 0 unknown.
	Resolution float64
}

// ImageLister lists the images of a project.
type ImageLister interface {
	// Images calls each for every image, in any order.
	Images(ctx context.Context, project ID, each func(Image) error) error
}

// Metric is how good a job was at one image, by one measure, where a server
// knows the truth (BIAFLOWS).
type Metric struct {
	Name  string // short, such as "DC"
	Title string // long, such as "Dice coefficient"
	Image ID     // 0: of a group of images
	Value float64
}

// MetricStore keeps metrics.
type MetricStore interface {
	// Metrics are the metrics of a job. ErrUnsupported tells that this server
	// has none at all.
	Metrics(ctx context.Context, job ID) ([]Metric, error)
}

// JobDeleter takes jobs away.
type JobDeleter interface {
	// DeleteJob deletes a job with everything it wrote. It asks nobody.
	DeleteJob(ctx context.Context, id ID) error
}

// ResultEraser takes results away one by one, with the keys of the job that wrote
// them where the person's do not suffice for all at once.
type ResultEraser interface {
	DeleteAnnotation(ctx context.Context, id ID) error
	DeleteJobFile(ctx context.Context, id ID) error
}
