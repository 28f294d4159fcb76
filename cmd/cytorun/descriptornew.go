package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/internal/text"
)

func newDescriptorNewCommand(c *cli) *cobra.Command {
	var pkg, name, output string
	var api bool
	cmd := &cobra.Command{
		Use:   "new --exact-package PACKAGE",
		Short: "begin the descriptor that binds a plugin of an EXACT server to a container",
		Long: `Write a descriptor to begin with, into the folder in which descriptors are found.
It binds the plugin with this package to a container, a command line and
parameters, which EXACT does not store. Fill in the container and the command
line, then 'cytorun descriptor check FILE'.

The program gets the path of the image and a folder for its annotations, as JSON
or GeoJSON (docs/annotations.schema.json), and cytorun brings them to the server.
With --api it speaks with EXACT itself, and finds a token in EXACT_TOKEN.`,
		Example: "  cytorun descriptor new --exact-package science.imig.midog\n  cytorun descriptor new --exact-package science.imig.midog -o - --api",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			return c.newDescriptor(pkg, name, output, api)
		},
	}
	f := cmd.Flags()
	f.StringVar(&pkg, "exact-package", "", "the `PACKAGE` of the plugin, as 'cytorun algorithms' shows it")
	f.StringVar(&name, "name", "", "what to call the algorithm (default: the end of its package)")
	f.StringVarP(&output, "output", "o", "", "write this `FILE`; - is standard output")
	f.BoolVar(&api, "api", false, "the program speaks with EXACT itself")
	return cmd
}

func (c *cli) newDescriptor(pkg, name, output string, api bool) error {
	if pkg = strings.TrimSpace(pkg); pkg == "" {
		return usageError(errors.New("name the plugin with --exact-package; 'cytorun algorithms' lists the packages"))
	}
	if name == "" {
		name = pkg[strings.LastIndexByte(pkg, '.')+1:]
	}
	data, err := skeleton(pkg, name, api).JSON()
	if err != nil {
		return err
	}
	if _, findings := descriptor.Parse("descriptor", data); len(findings) > 0 {
		for _, f := range findings {
			if f.Severity == descriptor.Error {
				return usageError(errors.New(text.Line(f.Message)))
			}
		}
	}
	if output == "-" {
		_, err := c.out.Write(data)
		return err
	}
	if output == "" {
		env, err := c.environment()
		if err != nil {
			return err
		}
		if err := os.MkdirAll(env.DescriptorFolder(), 0o755); err != nil {
			return fmt.Errorf("cannot make the folder of descriptors: %w", err)
		}
		output = filepath.Join(env.DescriptorFolder(), fileName(pkg)+".json")
	}
	f, err := os.OpenFile(output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; change it, or name another file with -o", text.Line(output))
	}
	if err != nil {
		return fmt.Errorf("cannot write the descriptor: %w", err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("cannot write the descriptor: %w", err)
	}
	fmt.Fprintln(c.out, output)
	c.say("fill in its container-image and command-line, then: cytorun descriptor check %s", output)
	return nil
}

// fileName makes a package into the name of a file.
func fileName(pkg string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '_'
	}, strings.TrimLeft(pkg, "."))
}

// skeleton is a descriptor to begin with.
func skeleton(pkg, name string, api bool) *descriptor.Descriptor {
	filled := func(id, label string) descriptor.Parameter {
		return descriptor.Parameter{ID: id, Name: label, Type: descriptor.String, SetByServer: true, ValueKey: "[" + strings.ToUpper(id) + "]"}
	}
	half := "0.5"
	d := &descriptor.Descriptor{
		Name: name, Version: "1.0", ExactPackage: pkg,
		Description: "What the algorithm does, for people.",
		CommandLine: "python3 run.py [EXACT_IMAGE] [EXACT_OUTPUT]/" + fileName(name) + ".geojson [THRESHOLD]",
		ExactWrites: descriptor.WritesResult,
		Parameters:  []descriptor.Parameter{filled("exact_image", "Path of the image"), filled("exact_output", "Folder for the annotations")},
	}
	if api {
		d.CommandLine = "python3 run.py [EXACT_HOST] [EXACT_JOB_ID] [EXACT_IMAGE_ID] [THRESHOLD]"
		d.ExactWrites = ""
		d.Parameters = []descriptor.Parameter{filled("exact_host", "Address of the server"), filled("exact_token", "Token, in the environment as EXACT_TOKEN"),
			filled("exact_job_id", "Id of the job"), filled("exact_image_id", "Id of the image")}
	}
	low, high := "0", "1"
	d.Parameters = append(d.Parameters, descriptor.Parameter{
		ID: "threshold", Name: "Threshold", Description: "Findings below it are left out.", Type: descriptor.Number, Optional: true,
		Default: &half, Minimum: &low, Maximum: &high, Flag: "--threshold", ValueKey: "[THRESHOLD]",
	})
	return d
}
