package descriptor

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPackage is how long a plugin's package may be (EXACT, Plugin.package).
const maxPackage = 200

// exact reads the attributes that bind a plugin of an EXACT server.
func (r *reader) exact(top object, d *Descriptor) {
	d.ExactPackage = strings.TrimSpace(r.string(top, "exact-package"))
	written := Writes(strings.ToLower(strings.TrimSpace(r.string(top, "exact-writes"))))
	known := []Writes{WritesResult, WritesAnnotations, WritesBoth}
	switch file := IsFileProgram(d.Parameters); {
	case written != "" && !slices.Contains(known, written):
		r.fail(top.at("exact-writes"), "exact-writes should be %s, %s or %s, but is %s", WritesResult, WritesAnnotations, WritesBoth, quote(string(written)))
		d.ExactWrites = WritesResult
	case written != "" && !file:
		r.warn(top.at("exact-writes"), "exact-writes has no meaning without an input exact_image: this program tells the server itself")
	case file && written == "":
		d.ExactWrites = WritesResult
	default:
		d.ExactWrites = written
	}
}

// lintExact looks for what is wrong with a descriptor for an EXACT server.
// objects belong to d.Parameters one by one.
func (r *reader) lintExact(top object, d *Descriptor, objects []object) {
	if why := packageProblem(d.ExactPackage); why != "" && top.has("exact-package") {
		r.fail(top.at("exact-package"), "exact-package %s", why)
	}
	uses := map[string]bool{}
	for i, p := range d.Parameters {
		o, id := objects[i], p.ExactInput()
		uses[id] = true
		switch {
		case id == "" && p.SetByServer && strings.HasPrefix(normalName(p.ID), "EXACT"):
			r.fail(o.at("id"), "no input %s is set for EXACT; there are %s", quote(p.ID), strings.Join(ExactInputs, ", "))
		case id == "":
			if d.ExactPackage != "" && strings.EqualFold(p.ID, ImagesParameter) {
				r.fail(o.at("id"), "input %s: on EXACT the images are chosen for every algorithm under this name; give it another id", quote(p.ID))
			}
		case d.ExactPackage == "":
			r.warn(o.at("id"), "input %s is set on EXACT only, and there is no exact-package", quote(p.ID))
		case id == "exact_token" && newCommandWords(d.CommandLine).find(p.ValueKey) != absent:
			r.warn(o.at("value-key"), "the token stands in the command-line, where other users of the box can read it; the program finds it in its environment as EXACT_TOKEN")
		}
	}
	switch {
	case d.ExactPackage == "":
	case uses["exact_image"] && !uses["exact_output"]:
		r.fail(top.at("inputs"), "a file program (it has exact_image) needs an input exact_output: the folder for its annotations")
	case uses["exact_output"] && !uses["exact_image"]:
		r.fail(top.at("inputs"), "exact_output is for file programs: it needs an input exact_image too")
	case !uses["exact_image"] && !uses["exact_token"]:
		r.warn(top.at("inputs"), "neither exact_image nor exact_token among the inputs: the program can reach neither the image nor the server")
	case !uses["exact_image"] && !uses["exact_job_id"] && !uses["exact_image_id"]:
		r.warn(top.at("inputs"), "neither exact_image_id nor exact_job_id among the inputs: the program does not know what to work on")
	}
}

// ImagesParameter is the id of the parameter by which people choose the images of
// an EXACT server: it is added to every algorithm there, one run for each image.
const ImagesParameter = "images"

// packageProblem says what keeps a text from being a plugin's package.
func packageProblem(s string) string {
	switch {
	case s == "":
		return "is empty; write the package of the plugin, such as science.imig.midog"
	case utf8.RuneCountInString(s) > maxPackage:
		return "is longer than the 200 characters that EXACT keeps"
	case strings.ContainsFunc(s, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }):
		return "has spaces in it; packages look like science.imig.midog"
	}
	return ""
}
