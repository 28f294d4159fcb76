package apptainer

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/apptainer/sif/v2/pkg/sif"
)

// ErrDamaged tells that a container file is truncated or broken.
var ErrDamaged = errors.New("container file is damaged")

// ErrArchitecture tells that a container is made for another processor.
var ErrArchitecture = errors.New("container is made for another processor")

// checkSIF looks at everything of a SIF that can be seen without reading its
// data: header, descriptors, that the file is as long as they say, the
// architecture, and the superblock of its root file system. A flipped bit in
// the data is seen by the checksum only.
func checkSIF(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the container: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open the container: %w", err)
	}
	if st.IsDir() {
		return fmt.Errorf("%s is a folder, not a container file", path)
	}
	img, err := sif.LoadContainer(f, sif.OptLoadWithCloseOnUnload(false), sif.OptLoadWithFlag(os.O_RDONLY))
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	defer img.UnloadContainer()
	var root *sif.Descriptor
	damaged := ""
	img.WithDescriptors(func(d sif.Descriptor) bool {
		if end := d.Offset() + d.Size(); end > st.Size() {
			damaged = fmt.Sprintf("it ends at byte %d and should have %d", st.Size(), end)
			return true
		}
		if d.DataType() == sif.DataPartition {
			if _, kind, _, err := d.PartitionMetadata(); err == nil && kind == sif.PartPrimSys {
				root = &d
				return true
			}
		}
		return false
	})
	if damaged != "" {
		return fmt.Errorf("%w: %s: %s", ErrDamaged, path, damaged)
	}
	if root == nil {
		return fmt.Errorf("%w: %s: it has no root file system", ErrDamaged, path)
	}
	fs, _, arch, err := root.PartitionMetadata()
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	if arch != runtime.GOARCH {
		return fmt.Errorf("%w: %s is for %s, this box is %s", ErrArchitecture, path, arch, runtime.GOARCH)
	}
	if fs == sif.FsSquash {
		// The superblock: a magic word, and at byte 40 how many bytes follow it.
		var super [48]byte
		if _, err := io.ReadFull(root.GetReader(), super[:]); err != nil || string(super[:4]) != "hsqs" {
			return fmt.Errorf("%w: %s: its file system does not begin as one", ErrDamaged, path)
		}
		if used := binary.LittleEndian.Uint64(super[40:]); used > uint64(root.Size()) {
			return fmt.Errorf("%w: %s: its file system is cut off", ErrDamaged, path)
		}
	}
	return nil
}

// noRunscript is what a SIF says that was built from a plain folder.
const noRunscript = "There is no runscript defined for this container"

// maxMetadata bounds the metadata read from a SIF, in bytes.
const maxMetadata = 4 << 20

// entry is how to start a SIF or a folder: the verb of the command, and the words between
// the file and the arguments.
func entry(path string, args bool) (verb string, front []string) {
	if isFolder(path) {
		return folderEntry(path)
	}
	config, script, ok := metadata(path)
	// Where its temporary folder has a colon in its name, apptainer leaves the
	// script out of what it writes down of an image it builds.
	script = strings.TrimSpace(script)
	if config == nil {
		config, _ = ociScript(script)
	}
	image := config != nil && (script == "" || strings.Contains(script, "OCI_ENTRYPOINT="))
	switch {
	case image:
		// The script that apptainer makes of an image's configuration does just
		// this, but scripts made by old versions evaluate the arguments.
		front = append(front, config.Entrypoint...)
		if !args {
			front = append(front, config.Cmd...)
		}
		if len(front) > 0 || args {
			return "exec", front
		}
	case ok && (script == "" || strings.Contains(script, noRunscript)):
		return "exec", nil
	}
	// A script that somebody wrote, or a file that says nothing of itself.
	return "run", nil
}

// ociConfig is the part of an image's configuration that starts it.
type ociConfig struct {
	Entrypoint []string
	Cmd        []string
}

// metadata reads what a SIF says of itself: the OCI configuration it was made
// from, if any, and its runscript. ok is false for files that say nothing, as
// those of Singularity before 3.6.
func metadata(path string) (config *ociConfig, runscript string, ok bool) {
	img, err := sif.LoadContainerFromPath(path, sif.OptLoadWithFlag(os.O_RDONLY))
	if err != nil {
		return nil, "", false
	}
	defer img.UnloadContainer()
	img.WithDescriptors(func(d sif.Descriptor) bool {
		if d.DataType() != sif.DataGenericJSON || d.Size() > maxMetadata {
			return false
		}
		data, err := d.GetData()
		if err != nil {
			return false
		}
		switch d.Name() {
		case "oci-config.json":
			var c ociConfig
			if json.Unmarshal(data, &c) == nil {
				config = &c
			}
		case "inspect-metadata.json":
			var m struct {
				Data struct {
					Attributes struct {
						Runscript string `json:"runscript"`
					} `json:"attributes"`
				} `json:"data"`
			}
			if json.Unmarshal(data, &m) == nil {
				runscript, ok = m.Data.Attributes.Runscript, true
			}
		}
		return false
	})
	return config, runscript, ok
}
