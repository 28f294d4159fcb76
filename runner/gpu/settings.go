package gpu

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/BurntSushi/toml"

	"github.com/cytorun/cytorun/client/profile"
)

// Settings are what a person or site says about the box.
type Settings struct {
	// Slots is how many runs work at once; 0 is one for each GPU, or one.
	Slots int
	// Allow names the GPUs that runs may have, as nvidia-smi names them; empty
	// allows all.
	Allow []string
}

// LoadSettings reads [queue] slots and [gpu] allow of config.toml, and
// CYTORUN_SLOTS, which wins.
func LoadSettings() (Settings, error) {
	var s Settings
	if paths, err := profile.DefaultPaths(); err == nil {
		var config struct {
			Queue struct {
				Slots int `toml:"slots"`
			} `toml:"queue"`
			GPU struct {
				Allow []any `toml:"allow"`
			} `toml:"gpu"`
		}
		path := filepath.Join(paths.Config, "config.toml")
		if _, err := toml.DecodeFile(path, &config); err != nil && !os.IsNotExist(err) {
			return s, fmt.Errorf("cannot read %s: %w", path, err)
		}
		s.Slots = max(config.Queue.Slots, 0)
		// An index may be written as a number.
		for _, name := range config.GPU.Allow {
			names, err := ParseNames(fmt.Sprint(name))
			if err != nil {
				return s, fmt.Errorf("[gpu] allow in %s: %w", path, err)
			}
			s.Allow = append(s.Allow, names...)
		}
	}
	if n, err := strconv.Atoi(os.Getenv("CYTORUN_SLOTS")); err == nil && n > 0 {
		s.Slots = n
	}
	return s, nil
}

// driverFolder has an entry for each GPU.
var driverFolder = "/proc/driver/nvidia/gpus"

// count is how many GPUs the box has. Where the driver tells it in a folder a
// run without GPUs does not wait for nvidia-smi.
func count(ctx context.Context, discover func(context.Context) ([]Device, error)) int {
	if listed, err := os.ReadDir(driverFolder); err == nil && len(listed) > 0 {
		return len(listed)
	}
	devices, err := discover(ctx)
	if err != nil {
		return 0
	}
	return len(devices)
}
