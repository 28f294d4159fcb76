package descriptor

import (
	"strings"
	"testing"
)

const exactGood = `{"name":"midog","container-image":{"image":"lab/midog:1","type":"singularity"},
 "command-line":"python main.py [EXACT_IMAGE] [EXACT_OUTPUT]/out.geojson [THRESHOLD]",
 "inputs":[{"id":"exact_image","name":"Image","type":"String","set-by-server":true},
  {"id":"exact_output","name":"Output","type":"String","set-by-server":true},
  {"id":"threshold","name":"Threshold","type":"Number","default-value":0.5,"optional":true,"command-line-flag":"--threshold"}],
 "schema-version":"cytomine-0.1","exact-package":"science.imig.midog"}`

func TestADescriptorBindsAPluginOfExact(t *testing.T) {
	d, findings := Parse("x.json", []byte(exactGood))
	if len(findings) > 0 || d.ExactPackage != "science.imig.midog" || d.ExactWrites != WritesResult || !IsFileProgram(d.Parameters) {
		t.Errorf("%+v\n%v", d, findings)
	}
	data, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	again, findings := Parse("y.json", data)
	if len(findings) > 0 || again.ExactPackage != d.ExactPackage || again.ExactWrites != d.ExactWrites {
		t.Errorf("written and read again: %+v %v", again, findings)
	}
}

func TestWhatIsWrongWithADescriptorForExactIsSaid(t *testing.T) {
	tests := map[string]struct {
		from, to string
		severity Severity
		want     string
	}{
		"empty package":     {`"science.imig.midog"`, `" "`, Error, "exact-package is empty"},
		"spaces":            {`"science.imig.midog"`, `"science imig"`, Error, "has spaces"},
		"long package":      {`"science.imig.midog"`, `"` + strings.Repeat("a", 201) + `"`, Error, "longer than the 200"},
		"no output":         {`"id":"exact_output"`, `"id":"elsewhere"`, Error, "needs an input exact_output"},
		"no image":          {`"id":"exact_image"`, `"id":"elsewhere"`, Error, "exact_output is for file programs"},
		"unknown input":     {`"id":"exact_output"`, `"id":"exact_folder"`, Error, `no input "exact_folder" is set for EXACT; there are exact_host`},
		"images taken":      {`"id":"threshold"`, `"id":"images"`, Error, "the images are chosen for every algorithm"},
		"no package":        {`,"exact-package":"science.imig.midog"`, ``, Warning, "set on EXACT only"},
		"unknown writes":    {`"exact-package"`, `"exact-writes":"masks","exact-package"`, Error, "exact-writes should be result, annotations or both"},
		"token in sight":    {`"id":"threshold","name":"Threshold","type":"Number","default-value":0.5,"optional":true`, `"id":"exact_token","name":"T","type":"String","set-by-server":true,"value-key":"[THRESHOLD]"`, Warning, "other users of the box can read it"},
		"package no string": {`"science.imig.midog"`, `{"a":1}`, Error, "exact-package is empty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(exactGood, tt.from, tt.to, 1)
			if text == exactGood {
				t.Fatal("nothing replaced")
			}
			_, findings := Parse("x.json", []byte(text))
			for _, f := range findings {
				if f.Severity == tt.severity && strings.Contains(f.Message, tt.want) {
					return
				}
			}
			t.Errorf("no %s %q in %v", tt.severity, tt.want, findings)
		})
	}
}

func TestAProgramThatSpeaksForItselfNeedsSomethingToWorkOn(t *testing.T) {
	text := `{"name":"x","container-image":{"image":"a/b","type":"singularity"},"command-line":"x [EXACT_JOB_ID]","schema-version":"cytomine-0.1","exact-package":"p.q",
	 "inputs":[{"id":"exact_token","name":"T","type":"String","set-by-server":true},{"id":"exact_job_id","name":"J","type":"String","set-by-server":true}]}`
	d, findings := Parse("x.json", []byte(text))
	if len(findings) > 0 || d.ExactWrites != "" || !d.Parameters[0].IsSecret() || !d.Parameters[1].IsServerInput() || d.Parameters[1].IsSecret() {
		t.Errorf("%+v %v", d, findings)
	}
	for from, want := range map[string]string{`"exact_token"`: "can reach neither", `"exact_job_id"`: "does not know what to work on"} {
		_, findings := Parse("x.json", []byte(strings.Replace(text, from, `"other"`, 1)))
		found := false
		for _, f := range findings {
			found = found || strings.Contains(f.Message, want)
		}
		if !found {
			t.Errorf("without %s: %v", from, findings)
		}
	}
}
