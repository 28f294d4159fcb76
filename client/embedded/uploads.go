package embedded

import (
	"net/http"
	"strings"
)

var storageClass = &class{
	name: "be.cytomine.image.server.Storage", key: "storage", table: "storage", label: "name", order: "t.id",
	fields: []field{
		{name: "name", col: "name", must: true},
		{name: "user", col: "user", kind: ref, table: "user"},
	},
}

// statusDeployed is the state of an upload that has become an image.
const statusDeployed = 100

var uploadedFileClass = &class{
	name: "be.cytomine.image.UploadedFile", key: "uploadedfile", table: "uploaded_file", label: "originalFilename", order: "t.id DESC",
	fields: []field{
		{name: "originalFilename", col: "original_filename"},
		{name: "filename", col: "filename"},
		{name: "contentType", col: "content_type"},
		{name: "ext", col: "ext"},
		{name: "size", col: "size", kind: integer},
		{name: "status", col: "status", kind: integer, def: int64(0)},
		{name: "storage", col: "storage", kind: ref, table: "storage"},
		{name: "user", col: "user", kind: ref, table: "user"},
		{name: "parent", col: "parent", kind: ref, table: "uploaded_file"},
	},
	access: func(c *call, _ querier, rec record, _ bool) error {
		if !c.user.isAdmin() && rec["id"] != nil && rec.int("user") != c.user.human {
			return forbidden()
		}
		return nil
	},
	view: func(_ *call, _ querier, recs []record) error {
		for _, rec := range recs {
			rec["path"], rec["projects"], rec["image"] = rec["filename"], []int64{}, nil
			rec["statusText"] = "UPLOADED"
			if rec.int("status") == statusDeployed {
				rec["statusText"] = "DEPLOYED"
			}
		}
		return nil
	},
}

func init() {
	storageClass.check = func(c *call, _ *tx, old, rec record) error {
		if old == nil && rec["user"] == nil {
			rec["user"] = c.user.human
		}
		return nil
	}
}

// mine lists the objects of a class that belong to the caller.
func (s *Server) mine(cl *class) handler {
	return func(c *call) error {
		l, err := c.listing(cl)
		if err != nil {
			return err
		}
		if !c.user.isAdmin() {
			l.and("t.user=?", c.user.human)
		}
		return s.list(c, cl, l, false)
	}
}

// uploadImage takes an image as the original's image server does: the file, and
// the projects to show it in. It is deployed at once.
func (s *Server) uploadImage(c *call) error {
	u, err := s.receive(c)
	if err != nil {
		return err
	}
	defer u.discard()
	if u.name == "" {
		u.name = "image"
	}
	pick := func(names ...string) string {
		for _, n := range names {
			if v := c.param(n); v != "" {
				return v
			}
			if v := u.form[n]; v != "" {
				return v
			}
		}
		return ""
	}
	storage, _ := parseLong(pick("storage", "idStorage"))
	var answer map[string]any
	err = s.store.update(c.ctx(), func(t *tx) error {
		file := record{"originalFilename": u.name, "filename": u.name, "size": u.size, "status": int64(statusDeployed), "user": c.user.human}
		if ok, err := exists(t, "SELECT 1 FROM storage WHERE id=?", storage); err != nil {
			return err
		} else if ok {
			file["storage"] = storage
		}
		if err := uploadedFileClass.insert(t, file); err != nil {
			return err
		}
		abstract, err := s.storeImage(t, u, u.name, 0, 0, c.user.human, file.int("id"))
		if err != nil {
			return err
		}
		file["contentType"], file["ext"] = abstract["mime"], abstract["extension"]
		if err := uploadedFileClass.store(t, file); err != nil {
			return err
		}
		placed := []record{}
		for _, p := range strings.Split(pick("projects", "idProject"), ",") {
			project, ok := parseLong(strings.TrimSpace(p))
			if !ok {
				continue
			}
			if err := c.mayAdd(t, project); err != nil {
				return err
			}
			id, err := placeImage(t, abstract.int("id"), project, c.user.human)
			if err != nil {
				return err
			}
			rec, err := imageClass.get(t, id)
			if err != nil {
				return err
			}
			placed = append(placed, rec)
		}
		if err := imageClass.json(c, t, placed...); err != nil {
			return err
		}
		if err := uploadProperties(t, abstract, pick("keys"), pick("values")); err != nil {
			return err
		}
		if abstract, err = abstractImageClass.get(t, abstract.int("id")); err != nil {
			return err
		}
		wire := []map[string]any{abstractSlice(c, abstract)}
		if err := abstractImageClass.json(c, t, abstract); err != nil {
			return err
		}
		if file, err = uploadedFileClass.get(t, file.int("id")); err != nil {
			return err
		}
		if err := uploadedFileClass.json(c, t, file); err != nil {
			return err
		}
		answer = map[string]any{"status": 200, "name": u.name, "size": u.size, "uploadedFile": file,
			"images": []map[string]any{{"image": abstract, "slices": wire, "imageInstances": placed}}}
		return nil
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, []map[string]any{answer})
}

// uploadProperties stores the keys and values sent with an image.
func uploadProperties(t *tx, abstract record, keys, values string) error {
	if keys == "" {
		return nil
	}
	vs := strings.Split(values, ",")
	for i, k := range strings.Split(keys, ",") {
		if i >= len(vs) || k == "" || vs[i] == "" {
			continue
		}
		if err := propertyClass.insert(t, record{"domainClassName": abstractImageClass.name, "domainIdent": abstract["id"], "key": k, "value": vs[i]}); err != nil {
			return err
		}
	}
	return nil
}
