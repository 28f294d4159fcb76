package apptainer

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// ErrRegistry tells that a registry could not be reached, as opposed to one
// that refused.
var ErrRegistry = errors.New("registry not reachable")

// errAway is an ErrRegistry that may go away by itself.
var errAway = fmt.Errorf("%w", ErrRegistry)

// Transient tells whether an error of Ensure may go away by itself: a registry
// that is away or broke off, and not one that refuses or that does not exist.
func Transient(err error) bool { return errors.Is(err, errAway) }

// ErrLogin tells that a registry wants other or any credentials.
var ErrLogin = errors.New("registry asks for a login")

// ErrNoImage tells that a registry does not have the image.
var ErrNoImage = errors.New("no such image")

// ErrNoFile tells that a reference names a file that is not on this box.
var ErrNoFile = errors.New("there is no such file")

// askTimeout bounds one small question to a registry.
const askTimeout = 30 * time.Second

func remoteOptions(ctx context.Context) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx),
		remote.WithAuthFromKeychain(authn.NewMultiKeychain(envKeychain{}, apptainerKeychain{}, authn.DefaultKeychain)),
		remote.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}),
		remote.WithUserAgent("cytorun"),
		// Whoever waits for a registry wants to hear soon that it is away.
		remote.WithRetryBackoff(remote.Backoff{Duration: 300 * time.Millisecond, Factor: 3, Jitter: 0.1, Steps: 2}),
	}
}

// head asks which digest a reference has now.
func head(ctx context.Context, ref name.Reference) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	d, err := remote.Head(ref, remoteOptions(ctx)...)
	if err != nil {
		return "", explainRegistry(ctx, ref, err)
	}
	return d.Digest.String(), nil
}

// image finds the image of a reference for this box's processor.
func image(ctx context.Context, ref name.Reference) (v1.Image, error) {
	img, err := remote.Image(ref, remoteOptions(ctx)...)
	if err != nil {
		return nil, explainRegistry(ctx, ref, err)
	}
	return img, nil
}

// noTag is the error for a reference without a tag.
func noTag(ctx context.Context, ref name.Reference) error {
	e := &TagError{Repository: ref.Context().Name()}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	tags, err := remote.List(ref.Context(), remoteOptions(ctx)...)
	if err != nil {
		return fmt.Errorf("%w (and its tags cannot be listed: %w)", e, explainRegistry(ctx, ref, err))
	}
	e.Tags = tags
	return e
}

// explainRegistry turns what the registry's client says into one line.
func explainRegistry(ctx context.Context, ref name.Reference, err error) error {
	repo, host := ref.Context().Name(), ref.Context().RegistryStr()
	var t *transport.Error
	if errors.As(err, &t) {
		// Answers to HEAD have no body, so that only the status tells.
		code := transport.ErrorCode("")
		if len(t.Errors) > 0 {
			code = t.Errors[0].Code
		}
		switch {
		case t.StatusCode == http.StatusNotFound || code == transport.ManifestUnknownErrorCode || code == transport.NameUnknownErrorCode:
			tag, ok := ref.(name.Tag)
			if !ok {
				return fmt.Errorf("%w: %s", ErrNoImage, ref.Name())
			}
			lctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			if tags, lerr := remote.List(ref.Context(), remoteOptions(lctx)...); lerr == nil && len(tags) > 0 {
				return &TagError{Repository: repo, Tag: tag.TagStr(), Tags: tags}
			}
			return fmt.Errorf("%w: %s has no image %s", ErrNoImage, host, strings.TrimPrefix(ref.Name(), host+"/"))
		case t.StatusCode == http.StatusUnauthorized || t.StatusCode == http.StatusForbidden:
			return fmt.Errorf("%w: %s does not show %s to us: it does not exist or is private; log in with 'cytorun container login %s'", ErrLogin, host, repo, host)
		case t.StatusCode == http.StatusTooManyRequests:
			return fmt.Errorf("%w: %s limits how often one may ask it; log in with 'cytorun container login %s' or try later", errAway, host, host)
		case t.StatusCode >= 500:
			return fmt.Errorf("%w: %s answered %d; try again later", errAway, host, t.StatusCode)
		}
		return fmt.Errorf("fetch %s: %s", ref.Name(), oneLine(t.Error()))
	}
	if strings.Contains(err.Error(), "no child with platform") {
		return fmt.Errorf("%w: %s has none for %s", ErrArchitecture, ref.Name(), runtime.GOARCH)
	}
	if cause, kind := reachError(err); kind != nil {
		return fmt.Errorf("%w: %s: %s", kind, host, cause)
	}
	// The errors of that are in a package that nobody else may import.
	if s := err.Error(); strings.Contains(s, "error verifying") || strings.Contains(s, "does not match expected size") {
		return fmt.Errorf("%s sends other bytes than it promised for %s, which are not used; try again, or tell who runs it (%s)", host, repo, oneLine(s))
	}
	if disk := diskError(err); disk != nil {
		return disk
	}
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return fmt.Errorf("fetch %s: %s", ref.Name(), oneLine(err.Error()))
}

// reachError says why a registry was not reached, and whether that may go away
// by itself (errAway) or not (ErrRegistry); nil if err is something else.
func reachError(err error) (cause string, kind error) {
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var ne net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused", errAway
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return "no such host", ErrRegistry
		}
		return "its name cannot be looked up", errAway
	case errors.As(err, &unknown):
		return "its certificate is signed by an authority that this box does not know", ErrRegistry
	case errors.As(err, &host):
		return "its certificate is for another name", ErrRegistry
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "it speaks http, not https; allow that with APPTAINER_NOHTTPS=1", ErrRegistry
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		return "no answer in time", errAway
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to it", errAway
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "it broke the connection", errAway
	}
	return "", nil
}

// envKeychain takes credentials from the environment, as apptainer does.
type envKeychain struct{}

// Resolve gives the same credentials for every registry.
func (envKeychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	for _, p := range []string{"APPTAINER", "SINGULARITY"} {
		user, pass := os.Getenv(p+"_DOCKER_USERNAME"), os.Getenv(p+"_DOCKER_PASSWORD")
		if user != "" && pass != "" {
			return authn.FromConfig(authn.AuthConfig{Username: user, Password: pass}), nil
		}
	}
	return authn.Anonymous, nil
}

// apptainerKeychain takes credentials from where `apptainer registry login`
// keeps them, a file in docker's format.
type apptainerKeychain struct{}

// Resolve looks the registry up. A file that cannot be read has none.
func (apptainerKeychain) Resolve(r authn.Resource) (authn.Authenticator, error) {
	data, err := os.ReadFile(authFile())
	if err != nil {
		return authn.Anonymous, nil
	}
	var file struct {
		Auths map[string]authn.AuthConfig `json:"auths"`
	}
	if json.Unmarshal(data, &file) != nil {
		return authn.Anonymous, nil
	}
	for _, k := range append([]string{r.String()}, authKeys(r.RegistryStr())...) {
		if c, ok := file.Auths[k]; ok && c != (authn.AuthConfig{}) {
			return authn.FromConfig(c), nil
		}
	}
	return authn.Anonymous, nil
}
