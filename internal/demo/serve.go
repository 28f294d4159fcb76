package demo

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/embedded"
)

// Serve is the demo's server: the data folder dir, filled on its first start,
// with a registry for the container beside it. exe is the program packed into
// that container, normally the one that runs. It returns like embedded.Serve.
//
// Nothing is answered on ln before everything is ready: who connects earlier
// waits.
func Serve(ctx context.Context, dir, exe string, ln net.Listener, idleExit time.Duration, log *slog.Logger) error {
	defer ln.Close()
	program, err := os.Open(exe)
	if err != nil {
		return fmt.Errorf("cannot read this program's own file: %w", err)
	}
	defer program.Close()
	container, err := pack(program)
	if err != nil {
		return err
	}
	registry, err := newRegistry(container, Version)
	if err != nil {
		return err
	}
	server, err := embedded.Open(dir, embedded.Options{Log: log})
	if err != nil {
		return err
	}
	defer server.Close()
	admin, err := server.Admin(ctx)
	if err != nil {
		return fmt.Errorf("cannot find out who administers the demo's server: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", server.Handler())
	mux.Handle("/v2/", registry)
	mux.HandleFunc("GET "+identityPath, identify(admin.PrivateKey))

	info, err := program.Stat()
	if err != nil {
		return fmt.Errorf("cannot read this program's own file: %w", err)
	}
	c := connection{
		URL: "http://" + ln.Addr().String(), PID: os.Getpid(), Build: buildOf(info),
		Public: admin.PublicKey, Private: admin.PrivateKey,
	}
	c.Project, err = fill(ctx, server, mux, c.keys(), ln.Addr().String()+"/"+repository+":"+Version)
	if err != nil {
		return fmt.Errorf("cannot fill the demo's server: %w", err)
	}
	if err := c.write(dir); err != nil {
		return err
	}
	log.Info("demo ready", "url", c.URL, "pid", c.PID)
	return embedded.ServeHandler(ctx, ln, mux, idleExit)
}

// fill puts the demo's project with all that belongs to it on a server where it
// is not there yet, and gives the project's id. What an earlier start did not
// get done is done now.
func fill(ctx context.Context, server *embedded.Server, h http.Handler, keys client.Keys, container string) (client.ID, error) {
	site, end, err := privately(h, keys)
	if err != nil {
		return 0, err
	}
	defer end()
	project, err := fillProject(ctx, server, site)
	if err != nil {
		return 0, err
	}
	if err := fillImages(ctx, server, site, project); err != nil {
		return 0, err
	}
	for _, d := range Descriptors() {
		_, err := site.Register(ctx, client.NewAlgorithm{Descriptor: d, Version: Version, Container: container, Project: project.ID})
		if err != nil {
			return 0, err
		}
	}
	return project.ID, nil
}
