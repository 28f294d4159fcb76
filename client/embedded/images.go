package embedded

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
)

// abstractImageClass is an image file, whichever projects show it.
var abstractImageClass = &class{
	name: "be.cytomine.image.AbstractImage", key: "abstractimage", table: "abstract_image", label: "originalFilename", order: "t.created DESC, t.id DESC",
	fields: []field{
		{name: "originalFilename", col: "original_filename", must: true},
		{name: "filename", col: "filename", keep: true},
		{name: "mime", col: "mime", keep: true},
		{name: "contentType", col: "(t.mime)", out: true},
		{name: "extension", col: "extension", out: true},
		{name: "width", col: "width", kind: integer, keep: true},
		{name: "height", col: "height", kind: integer, keep: true},
		{name: "colorspace", col: "colorspace", keep: true},
		{name: "samplePerPixel", col: "channels", kind: integer, keep: true},
		{name: "bitPerSample", col: "bits", kind: integer, keep: true},
		{name: "resolution", col: "resolution", kind: number, alias: "physicalSizeX"},
		{name: "magnification", col: "magnification", kind: integer},
		{name: "slice", col: "slice", kind: ref, out: true, hide: true},
		{name: "uploadedFile", col: "uploaded_file", kind: ref, keep: true},
		{name: "user", col: "user", kind: ref, out: true},
	},
	access: accessAbstract,
	view: func(c *call, _ querier, recs []record) error {
		for _, rec := range recs {
			c.pixelFields(rec, rec.int("id"))
			rec["scanner"], rec["sample"] = nil, nil
		}
		return nil
	},
}

// imageClass is an image in a project, the ImageInstance of the API.
var imageClass = &class{
	name: "be.cytomine.image.ImageInstance", key: "imageinstance", table: "image_instance", label: "instanceFilename", order: "t.created DESC, t.id DESC",
	from: "JOIN abstract_image a ON a.id = t.base_image LEFT JOIN project p ON p.id = t.project",
	fields: []field{
		{name: "baseImage", col: "base_image", kind: ref, table: "abstract_image", must: true},
		{name: "project", col: "project", kind: ref, table: "project", must: true},
		{name: "user", col: "user", kind: ref, keep: true},
		{name: "ownName", col: "instance_filename", out: true, hide: true},
		{name: "instanceFilename", col: "COALESCE(NULLIF(TRIM(t.instance_filename), ''), a.original_filename)", out: true},
		{name: "originalFilename", col: "a.original_filename", out: true},
		{name: "filename", col: "a.filename", out: true},
		{name: "mime", col: "a.mime", out: true},
		{name: "contentType", col: "a.mime", out: true},
		{name: "extension", col: "a.extension", out: true},
		{name: "width", col: "a.width", kind: integer, out: true},
		{name: "height", col: "a.height", kind: integer, out: true},
		{name: "colorspace", col: "a.colorspace", out: true},
		{name: "samplePerPixel", col: "a.channels", kind: integer, out: true},
		{name: "bitPerSample", col: "a.bits", kind: integer, out: true},
		{name: "ownResolution", col: "resolution", kind: number, out: true, hide: true},
		{name: "resolution", col: "COALESCE(NULLIF(t.resolution, 0), a.resolution)", kind: number, out: true},
		{name: "ownMagnification", col: "magnification", kind: integer, out: true, hide: true},
		{name: "magnification", col: "COALESCE(NULLIF(t.magnification, 0), a.magnification)", kind: integer, out: true},
		{name: "slice", col: "slice", kind: ref, out: true, hide: true},
		{name: "numberOfAnnotations", col: "user_annotations", kind: integer, def: int64(0), out: true},
		{name: "numberOfJobAnnotations", col: "job_annotations", kind: integer, def: int64(0), out: true},
		{name: "numberOfReviewedAnnotations", col: "reviewed_annotations", kind: integer, def: int64(0), out: true},
		{name: "reviewStart", col: "review_start", kind: stamp},
		{name: "reviewStop", col: "review_stop", kind: stamp},
		{name: "reviewUser", col: "review_user", kind: ref},
		{name: "blind", col: "COALESCE(p.blind, 0)", kind: boolean, out: true, hide: true},
		{name: "projectName", col: "p.name", out: true, hide: true},
	},
	access: inProject("project"),
	view:   viewImages,
}

func init() {
	imageClass.check = func(c *call, t *tx, old, rec record) error {
		if old == nil {
			rec["user"] = c.user.id
			if rec["slice"] == nil {
				rec["slice"] = t.id()
			}
		}
		taken, err := exists(t, "SELECT 1 FROM image_instance WHERE base_image=? AND project=? AND id<>?", rec["baseImage"], rec["project"], old.int("id"))
		if err == nil && taken {
			return conflict("Image %v already map with project %v", rec["baseImage"], rec["project"])
		}
		return err
	}
	imageClass.drop = func(_ *call, t *tx, rec record) error {
		return t.exec("DELETE FROM annotation WHERE image=?", rec["id"])
	}
	abstractImageClass.check = func(c *call, t *tx, old, rec record) error {
		if old == nil {
			return failure(http.StatusBadRequest, "images are added by upload to /upload, not by description")
		}
		return nil
	}
	abstractImageClass.drop = func(c *call, t *tx, rec record) error {
		used, err := exists(t, "SELECT 1 FROM image_instance WHERE base_image=?", rec["id"])
		if err != nil {
			return err
		}
		if used {
			return failure(http.StatusForbidden, "Abstract Image has instances in active projects")
		}
		c.discard(c.s.imageFile(rec.int("id"), rec.text("extension")))
		return nil
	}
}

// accessAbstract lets those see an image file who may see a project that shows
// it, and those who brought it.
func accessAbstract(c *call, q querier, rec record, write bool) error {
	if c.user.isAdmin() || rec["id"] == nil || rec.int("user") == c.user.human {
		return nil
	}
	ok, err := exists(q, "SELECT 1 FROM image_instance i JOIN member m ON m.project = i.project WHERE i.base_image=? AND m.user=?", rec["id"], c.user.human)
	if err == nil && (!ok || write) {
		return forbidden()
	}
	return err
}

// imageFile is where the bytes of an image lie.
func (s *Server) imageFile(abstract int64, extension string) string {
	return filepath.Join(s.dir, "images", strconv.FormatInt(abstract, 10)+"."+extension)
}

// pixelFields adds what follows from size and file, for both kinds of image.
func (c *call) pixelFields(rec record, abstract int64) {
	base := fmt.Sprintf("%s/api/abstractimage/%d", c.serverURL(), abstract)
	depth := zoomLevels(rec.int("width"), rec.int("height"))
	rec["path"] = c.s.tilePath(abstract)
	rec["fullPath"] = rec["path"]
	rec["bitDepth"] = rec["bitPerSample"]
	rec["depth"], rec["zoom"] = depth, depth
	rec["thumb"], rec["preview"] = base+"/thumb.png?maxSize=512", base+"/thumb.png?maxSize=1024"
	rec["macroURL"] = nil
	rec["duration"], rec["channels"], rec["dimensions"] = int64(1), int64(1), "XY"
	rec["tileSize"] = int64(tileSize)
	rec["physicalSizeX"], rec["physicalSizeY"] = rec["resolution"], rec["resolution"]
	if f, ok := rec["resolution"].(float64); ok {
		rec["physicalSizeX"], rec["physicalSizeY"] = double(f), double(f)
	}
	rec["physicalSizeZ"], rec["fps"] = nil, nil
}

// tileSize is the side of a square tile of the zoom pyramid.
const tileSize = 256

// zoomLevels is how often an image is halved until it fits into one tile.
func zoomLevels(width, height int64) int64 {
	if width <= 0 || height <= 0 {
		return 9 // the original's guess
	}
	levels := int64(0)
	for w, h := float64(width), float64(height); w > tileSize || h > tileSize; w, h = w/2, h/2 {
		levels++
	}
	return levels
}

func viewImages(c *call, _ querier, recs []record) error {
	for _, rec := range recs {
		c.pixelFields(rec, rec.int("baseImage"))
		rec["sample"] = nil
		rec["reviewed"] = rec["reviewStop"] != nil
		rec["inReview"] = rec["reviewStart"] != nil && rec["reviewUser"] != nil
		rec["blindedName"] = nil
		if rec.bool("blind") {
			rec["blindedName"] = strconv.FormatInt(rec.int("baseImage"), 10)
			if !c.user.isAdmin() {
				for _, name := range []string{"instanceFilename", "originalFilename", "filename"} {
					rec[name] = rec["blindedName"]
				}
			}
		}
		rec["projectBlind"] = rec["blind"]
		// projectName is hidden in single images; the list puts it back.
		if c.listsImages {
			rec["_projectName"] = rec["projectName"]
		}
	}
	return nil
}

// ownAttributes reads the three attributes that an image in a project inherits
// from its file unless it has its own.
func ownAttributes(o object, rec record) {
	rec["ownName"], rec["ownResolution"], rec["ownMagnification"] = nil, nil, nil
	if s, ok := o.str("instanceFilename"); ok {
		rec["ownName"] = s
	}
	for _, name := range []string{"physicalSizeX", "resolution"} {
		if f, ok := o.doubleOK(name); ok {
			rec["ownResolution"] = f
		}
	}
	if n, ok := o.longOK("magnification"); ok {
		rec["ownMagnification"] = n
	}
}

// storeImage keeps the bytes of an image and describes them; r is read to its end.
func (s *Server) storeImage(t *tx, from *upload, name string, resolution float64, magnification int64, user, uploaded int64) (record, error) {
	info, err := inspect(from.path)
	if err != nil {
		return nil, err
	}
	id := t.id()
	ext := strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))
	if ext == "" || !plainName(ext) || strings.ContainsAny(ext, "/") {
		ext = info.extension
	}
	rec := record{
		"id": id, "originalFilename": name, "filename": fmt.Sprintf("%d.%s", id, ext), "mime": info.mime, "extension": ext,
		"width": info.width, "height": info.height, "colorspace": info.colorspace, "samplePerPixel": info.channels, "bitPerSample": info.bits,
		"slice": t.id(), "user": user,
	}
	if resolution > 0 {
		rec["resolution"] = resolution
	}
	if magnification > 0 {
		rec["magnification"] = magnification
	}
	if uploaded > 0 {
		rec["uploadedFile"] = uploaded
	}
	if err := abstractImageClass.insert(t, rec); err != nil {
		return nil, err
	}
	return rec, from.take(s.imageFile(id, ext))
}

// placeImage shows an image file in a project and returns the new image.
func placeImage(t *tx, abstract, project, user int64) (int64, error) {
	rec := record{"baseImage": abstract, "project": project, "user": user, "slice": t.id(),
		"numberOfAnnotations": int64(0), "numberOfJobAnnotations": int64(0), "numberOfReviewedAnnotations": int64(0)}
	err := imageClass.insert(t, rec)
	return rec.int("id"), err
}

// copyIn reads a file from outside into the data folder.
func (s *Server) copyIn(from io.Reader) (*upload, error) {
	u := &upload{}
	return u, s.keep(u, from)
}
