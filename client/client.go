// Package client holds what cytorun knows of an image analysis server: the
// domain types and the Server interface that every kind of server implements.
//
// Rules of this package and the ones below it:
//   - it knows no screens and no processes;
//   - domain types keep the bytes that the server sent; whoever shows them
//     passes them through internal/text first, because server text is untrusted;
//   - every call takes a context; a caller without a deadline gets the server's
//     own default one;
//   - lists page, and nothing makes one request per row.
//
// A new kind of server is one new folder below this one that passes
// client/servertest.
package client

import (
	"context"
	"io"
)

// ID identifies a domain object on one server. Cytomine takes all ids from one
// sequence, EXACT one per table. Zero means none.
type ID int64

// Server is what every kind of server can do. Everything else is an optional
// ability, one small interface each, found with a type assertion: LogStore,
// FileStore, AnnotationCounter, ImageCounter, JobKeys, Registrar, Canceller.
type Server interface {
	// Probe asks whether the server lives and speaks an API that we know. It
	// needs no keys.
	Probe(ctx context.Context) (Info, error)
	// CurrentUser is who the keys belong to. ErrUnauthorised tells that the
	// server does not accept them.
	CurrentUser(ctx context.Context) (User, error)
	// Projects lists the projects that the user may see, by name.
	Projects(ctx context.Context) ([]Project, error)
	// Project reads one project. ErrNotFound and ErrForbidden are told apart.
	Project(ctx context.Context, id ID) (Project, error)
	// Algorithms lists what can be run in a project, without parameters of the
	// set-by-server kind. A project of 0 lists every algorithm of the server.
	Algorithms(ctx context.Context, project ID) ([]Algorithm, error)
	// Algorithm reads one algorithm with all its parameters, also the ones set
	// by the server, in the order of the form.
	Algorithm(ctx context.Context, id ID) (Algorithm, error)
	// Options fetches the options of a Domain or ListDomain parameter. page is
	// called for each page as it arrives; an error from it stops the listing.
	Options(ctx context.Context, q OptionQuery, page func([]Option) error) error
	// Jobs lists one page of jobs, newest first, without their parameters
	// unless the filter asks for them.
	Jobs(ctx context.Context, f JobFilter) (JobPage, error)
	// Job reads one job with its parameters.
	Job(ctx context.Context, id ID) (Job, error)
	// CreateJob makes the server's record of an execution.
	CreateJob(ctx context.Context, j NewJob) (Job, error)
	// UpdateJob reads the job, lets change edit what it may, and writes the
	// whole object back with every field that we do not know. change may be
	// called again after a conflict; returning ErrNoChange writes nothing.
	UpdateJob(ctx context.Context, id ID, change func(*JobChange) error) (Job, error)
}

// LogStore keeps the log of a job on the server.
type LogStore interface {
	// AttachLog stores text as the job's log, replacing an earlier one.
	AttachLog(ctx context.Context, job ID, log io.Reader) error
	// JobLog opens the log of a job. ErrNotFound tells that there is none.
	JobLog(ctx context.Context, job ID) (io.ReadCloser, error)
}

// FileStore keeps result files of jobs (Cytomine's JobData).
type FileStore interface {
	JobFiles(ctx context.Context, job ID) ([]JobFile, error)
	OpenJobFile(ctx context.Context, id ID) (io.ReadCloser, error)
}

// AnnotationCounter counts what a job wrote.
type AnnotationCounter interface {
	// AnnotationCounts counts the annotations of a job per term, by name; the
	// ones without a term come last under the empty name.
	AnnotationCounts(ctx context.Context, job Job) ([]TermCount, error)
}

// ImageCounter counts what a job wrote on each image.
type ImageCounter interface {
	// AnnotationsByImage counts the annotations of a job per image. Images
	// without any are missing.
	AnnotationsByImage(ctx context.Context, job Job) (map[ID]int, error)
}

// ResultDeleter deletes what a job wrote.
type ResultDeleter interface {
	// DeleteResults deletes the annotations and result files of a job. Old
	// servers delete the job with them (contract §2.5). Where people have
	// reviewed some of the annotations nothing is deleted: ErrInvalid.
	DeleteResults(ctx context.Context, job ID) error
}

// JobKeys hands out the keys of the job's own user, the only ones that a
// container may see.
type JobKeys interface {
	JobKeys(ctx context.Context, job Job) (Keys, error)
}

// Registrar makes an algorithm known to the server and to a project.
type Registrar interface {
	Register(ctx context.Context, a NewAlgorithm) (Algorithm, error)
}
