package descriptor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// corpus returns the real descriptors that lie beside the repository.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "descriptors", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Skip("no real descriptors beside the repository (../shared/descriptors)")
	}
	files := make(map[string][]byte)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimSuffix(filepath.Base(path), ".json")] = data
	}
	return files
}

// odd lists what is said about files of the corpus that are unusual in a way
// that matters; "" among the lines allows others.
var odd = map[string][]string{
	"Neubias-WG5__PrepareData":                                         {`43:6: warning: comma before ']'; strict readers refuse this file`},
	"Neubias-WG5__UploadResults":                                       {`53:6: warning: comma before ']'; strict readers refuse this file`},
	"navdeepkaushish__S_Deep-Bone-Structures":                          {`99:10: warning: comma before ']'; strict readers refuse this file`},
	"navdeepkaushish__S_Deep-Zebrafish-Bone-Structures-Segmentation-V": {`99:10: warning: comma before ']'; strict readers refuse this file`},
	"volker-baecker__W_VOLKER_MIFOBIO_EXAMPLE_SEG":                     {`55:24: error: "Default" is not a JSON value; text belongs in double quotes`},
	"Neubias-WG5__W_PixCla-PSPNet-GlaS":                                {`57:24: warning: no server sets input "threshold"; it is an ordinary parameter`},
	"Cytomine-ULiege__S_Segment-CV-AdaptThres-Object-BI":               {`188:2: warning: input "cytomine_union_max_point" has no name; its id is shown`},
	"Cytomine-ULiege__Sample-Software-Python": {
		`2:11: warning: the algorithm has no name`,
		`5:14: warning: container-image names no image: there is nothing to run`},
	"TorecLuik__W_CountMaskOverlap": {
		`8:19: warning: "COLUMN_NAME" in the command-line belongs to no input`,
		`79:20: warning: input "column_name_counts" never reaches the program: "COLUMN_NAME_COUNTS" is not in the command-line`,
		`90:20: warning: input "column_name_cells" never reaches the program: "COLUMN_NAME_CELLS" is not in the command-line`},
	"mertesdorfj__W_NucleiSegmentation_Python_BIOMERO_template": {
		`57:20: warning: the command-line spells "@SIGMA" differently; a Cytomine server would not find it`,
		`68:20: warning: the command-line spells "@MAX_SIZE" differently; a Cytomine server would not find it`,
		`79:20: warning: the command-line spells "@CLOSING_RADIUS" differently; a Cytomine server would not find it`},
	"mizjaggy18__S_Segment-Otsu": {
		`123:24: warning: the default of input "image_area_perc_threshold" must be a whole number; got 0.001`,
		`129:7: warning: a Cytomine server ignores "default" and reads "default-value"; it is read here`},
	"delimz__s_unet":                                   {``, `44:22: warning: default "[]" is not a number`},
	"GiMichiels__S_Detect_Sample":                      {``, `90:23: warning: schema-version "0.5" is not known; read as cytomine-0.1`},
	"NL-BioImaging__biomero__tests_example_workflow":   {``, `46:13: warning: container type "oci" is not supported by Cytomine; singularity is meant`},
	"maartenpaul__W_Segmentation-micro-sam":            {``, `9:21: warning: "[PARAMS]" in the command-line belongs to no input`},
	"BIOMERO-WK4-Containers__W_CellExpansionAdvanced":  nil,
	"Cellular-Imaging-Amsterdam-UMC__cideconvolve":     nil,
	"Cytomine-ULiege__S_Classify-ML-RandomSubwET-Eval": nil,
}

func TestRealDescriptorsAreReadOrRefusedAtTheRightPlace(t *testing.T) {
	files := corpus(t)
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			d, findings := findingsOf(t, data)
			if want, ok := odd[name]; ok {
				if len(want) > 0 && want[0] == "" {
					for _, line := range want[1:] {
						if !slices.Contains(findings, line) {
							t.Errorf("no finding %q in\n%s", line, strings.Join(findings, "\n"))
						}
					}
				} else if !slices.Equal(findings, want) {
					t.Errorf("findings:\n%s\nwant:\n%s", strings.Join(findings, "\n"), strings.Join(want, "\n"))
				}
			}
			commas := slices.ContainsFunc(findings, func(f string) bool { return strings.Contains(f, "warning: comma before") })
			if strict := json.Valid(data); strict != (d != nil && !commas) {
				t.Errorf("encoding/json accepts it: %t; read %t with comma warning %t", strict, d != nil, commas)
			}
			if d != nil && json.Valid(data) {
				sameAsStrict(t, d, data)
			}
		})
	}
	for name := range odd {
		if _, ok := files[name]; !ok {
			t.Errorf("%s is not in the corpus", name)
		}
	}
}

// sameAsStrict compares with a plain reading by encoding/json.
func sameAsStrict(t *testing.T, d *Descriptor, data []byte) {
	t.Helper()
	var strict struct {
		Name        string
		CommandLine string                 `json:"command-line"`
		Container   struct{ Image string } `json:"container-image"`
		Inputs      []map[string]any
	}
	if err := json.Unmarshal(data, &strict); err != nil {
		t.Fatal(err)
	}
	if d.Name != strict.Name || d.CommandLine != strings.TrimSpace(strict.CommandLine) || d.Container.Image != strict.Container.Image {
		t.Errorf("read %q, %q, %q", d.Name, d.CommandLine, d.Container.Image)
	}
	if len(d.Parameters) != len(strict.Inputs) {
		t.Fatalf("%d parameters of %d inputs", len(d.Parameters), len(strict.Inputs))
	}
	for i, p := range d.Parameters {
		in := strict.Inputs[i]
		id := in["id"].(string)
		fill := strings.NewReplacer("@ID", strings.ToUpper(id), "@id", id)
		if p.ID != id || p.RawType != in["type"] || p.Optional != in["optional"] || p.ValueKey != fill.Replace(in["value-key"].(string)) {
			t.Errorf("input %v read as %+v", in, p)
		}
		if flag, _ := in["command-line-flag"].(string); p.Flag != fill.Replace(flag) {
			t.Errorf("flag of %v read as %q", in, p.Flag)
		}
		if given := in["default-value"]; (given != nil && given != "" || in["default"] != nil) != (p.Default != nil) {
			t.Errorf("default of %v read as %s", in, text(p.Default))
		}
		if p.Type == Number && p.Default != nil {
			if number, ok := in["default-value"].(float64); ok {
				if f, _ := mustParse(t, Number, *p.Default).Number(); f != number {
					t.Errorf("default of %v read as %s", in, *p.Default)
				}
			}
		}
	}
}
