package embedded

import "net/http"

// Every image has exactly one slice, a plane of what could be a stack. Slices
// have ids of their own, in the file and in the project, and no table.

// abstractSlice is the plane of an image file.
func abstractSlice(c *call, abstract record) map[string]any {
	return map[string]any{
		"class": "be.cytomine.image.AbstractSlice", "id": abstract["slice"], "created": abstract["created"], "updated": nil, "deleted": nil,
		"image": abstract["id"], "uploadedFile": abstract["uploadedFile"], "mime": abstract["mime"], "path": c.s.tilePath(abstract.int("id")),
		"channel": 0, "zStack": 0, "time": 0, "rank": 0,
	}
}

// sliceInstance is the plane of an image in a project.
func sliceInstance(c *call, image, abstract record) map[string]any {
	out := abstractSlice(c, abstract)
	out["class"], out["id"], out["created"] = "be.cytomine.image.SliceInstance", image["slice"], image["created"]
	out["image"], out["project"], out["baseSlice"] = image["id"], image["project"], abstract["slice"]
	out["imageServerUrl"] = c.serverURL()
	return out
}

// showSlice answers with the slice of the image in the path, or of the slice
// itself; asList wraps it as the list it is.
func (s *Server) showSlice(kind string, asList bool) handler {
	return func(c *call) error {
		q := s.store.read(c.ctx())
		abstract, err := s.baseOf(c, q, kind)
		if err != nil {
			return err
		}
		wireDate(abstract, "created")
		var out map[string]any
		switch kind {
		case "abstractimage":
			out = abstractSlice(c, abstract)
		default:
			where := "t.id=?"
			if kind == "sliceinstance" {
				where = "t.slice=?"
			}
			image, err := imageClass.first(q, where, c.id("id"))
			if err != nil {
				return err
			}
			wireDate(image, "created")
			out = sliceInstance(c, image, abstract)
		}
		if asList {
			return slice(c, []map[string]any{out})
		}
		return c.json(http.StatusOK, out)
	}
}
