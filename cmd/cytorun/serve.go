package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client/embedded"
	"github.com/cytorun/cytorun/internal/demo"
)

func newServeCommand(c *cli) *cobra.Command {
	var data, listen string
	var idle time.Duration
	var forDemo bool
	cmd := &cobra.Command{
		Use:   "serve --data DIR",
		Short: "run a small Cytomine-compatible server",
		Long: `Run a small Cytomine-compatible server over one data folder and print its
address and the keys of its administrator. It is meant for one person on one
machine: it speaks plain HTTP, so keep it on a loopback address.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if data == "" {
				return usageError(fmt.Errorf("serve needs --data DIR, the folder to keep its data in"))
			}
			ln, err := net.Listen("tcp", listen)
			if err != nil {
				return fmt.Errorf("cannot listen on %s: %w; choose another with --listen", listen, err)
			}
			log := slog.New(slog.NewTextHandler(c.err, nil))
			if forDemo {
				env, err := c.environment()
				if err != nil {
					return err
				}
				return demo.Serve(cmd.Context(), data, env.Executable, ln, idle, log)
			}
			server, err := embedded.Open(data, embedded.Options{Log: log})
			if err != nil {
				return err
			}
			defer server.Close()
			if err := c.printServer(cmd.Context(), server, ln); err != nil {
				return err
			}
			return server.Serve(cmd.Context(), ln, idle)
		},
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "", "`FOLDER` with the server's data; made when missing")
	f.StringVar(&listen, "listen", "127.0.0.1:0", "`ADDRESS` to listen on; port 0 chooses a free one")
	f.DurationVar(&idle, "idle-exit", 0, "end after this time without a request (default: never)")
	f.BoolVar(&forDemo, "demo", false, "fill the folder with the demo, and serve its container too")
	_ = f.MarkHidden("demo") // it prints no keys: 'cytorun demo' starts it and finds them
	return cmd
}

// printServer says how to reach the server: lines to source in a shell.
func (c *cli) printServer(ctx context.Context, server *embedded.Server, ln net.Listener) error {
	admin, err := server.Admin(ctx)
	if err != nil {
		return err
	}
	url := "http://" + ln.Addr().String()
	if c.json {
		return c.printLineJSON(field{"url", url}, field{"public_key", admin.PublicKey}, field{"private_key", admin.PrivateKey})
	}
	_, err = fmt.Fprintf(c.out, "CYTOMINE_HOST=%s\nCYTOMINE_PUBLIC_KEY=%s\nCYTOMINE_PRIVATE_KEY=%s\n", url, admin.PublicKey, admin.PrivateKey)
	return err
}
