package gpu

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/internal/text"
)

// amdVendor is the number of AMD among makers of PCI devices.
const amdVendor = "0x1002"

// AMD names the AMD GPUs of the box whose file system begins at root, "" where
// there are none: "an AMD GPU (gfx90a)". It asks the kernel and needs no tool of
// AMD's.
func AMD(root string) string {
	var names []string
	// The compute driver lists a node for each processor too; those have no
	// SIMD units.
	nodes, _ := filepath.Glob(filepath.Join(root, "sys/class/kfd/kfd/topology/nodes/*"))
	for _, node := range nodes {
		b, err := os.ReadFile(filepath.Join(node, "properties"))
		if err != nil || !hasUnits(string(b)) {
			continue
		}
		name, _ := os.ReadFile(filepath.Join(node, "name"))
		names = append(names, text.Truncate(text.Line(strings.TrimSpace(string(name))), 40))
	}
	if len(names) == 0 {
		cards, _ := filepath.Glob(filepath.Join(root, "sys/class/drm/card*/device/vendor"))
		for _, card := range cards {
			// card0-HDMI-A-1 is an output, not a card.
			if b, err := os.ReadFile(card); err == nil && strings.TrimSpace(string(b)) == amdVendor && !strings.Contains(filepath.Base(filepath.Dir(filepath.Dir(card))), "-") {
				names = append(names, "")
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	said := "an AMD GPU"
	if len(names) > 1 {
		said = text.Plural(len(names), "AMD GPU")
	}
	names = slices.Compact(slices.DeleteFunc(names, func(n string) bool { return n == "" }))
	if len(names) > 0 {
		said += " (" + strings.Join(names, ", ") + ")"
	}
	return said
}

// hasUnits looks for `simd_count N` with N above zero.
func hasUnits(properties string) bool {
	for line := range strings.Lines(properties) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "simd_count" {
			return f[1] != "0"
		}
	}
	return false
}
