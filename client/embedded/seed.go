package embedded

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"
)

// Account is a person with the keys to sign requests with.
type Account struct {
	ID         int64
	Username   string
	PublicKey  string
	PrivateKey string
}

// begin fills a new folder with what every server has: an administrator, a
// storage, the local processing server and the default trusted source.
func (s *Server) begin() error {
	ctx := context.Background()
	// What a process that was killed had half received belongs to nobody.
	left, err := filepath.Glob(filepath.Join(s.dir, "files", "incoming-*"))
	if err != nil {
		return err
	}
	for _, f := range left {
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	found, err := exists(s.store.read(ctx), "SELECT 1 FROM user WHERE algo=0")
	if err != nil {
		return err
	}
	if !found {
		if err := s.populate(ctx); err != nil {
			return err
		}
	}
	admin, err := s.Admin(ctx)
	s.tileSecret = admin.PrivateKey
	return err
}

func (s *Server) populate(ctx context.Context) error {
	return s.store.update(ctx, func(t *tx) error {
		name := s.opts.AdminName
		if _, err := addAccount(t, Person{Username: name, Firstname: "Just an", Lastname: "Admin", Email: name + "@localhost", Admin: true}); err != nil {
			return err
		}
		if err := processingServerClass.insert(t, record{"name": "local-server", "host": "slurm", "username": "cytomine", "port": int64(22),
			"type": "cpu", "processingMethodName": "SlurmProcessingMethod", "index": int64(1)}); err != nil {
			return err
		}
		return repositoryClass.insert(t, record{"provider": "GitHub", "username": "cytomine", "dockerUsername": "cytomine", "prefix": "S_"})
	})
}

// Admin returns the administrator made when the folder was new.
func (s *Server) Admin(ctx context.Context) (Account, error) {
	var a Account
	ok, err := one(s.store.read(ctx), "SELECT id, username, public_key, private_key FROM user WHERE role=? AND algo=0 ORDER BY id LIMIT 1",
		[]any{roleAdmin}, &a.ID, &a.Username, &a.PublicKey, &a.PrivateKey)
	if err == nil && !ok {
		err = errors.New("the data folder has no administrator")
	}
	return a, err
}

// Person describes a user to add. Admin is the administrator of the server, Guest
// may look only.
type Person struct {
	Username, Firstname, Lastname, Email string
	Admin, Guest                         bool
}

// AddUser adds a person with new keys. A user name is used once (409 otherwise).
func (s *Server) AddUser(ctx context.Context, p Person) (Account, error) {
	var a Account
	err := s.store.update(ctx, func(t *tx) (err error) {
		if err = unique(t, "user", nil, "algo=0 AND username=? COLLATE NOCASE", "User", p.Username); err != nil {
			return err
		}
		a, err = addAccount(t, p)
		return err
	})
	return a, err
}

func addAccount(t *tx, p Person) (Account, error) {
	role := roleUser
	switch {
	case p.Admin:
		role = roleAdmin
	case p.Guest:
		role = roleGuest
	}
	rec := record{"username": p.Username, "firstname": p.Firstname, "lastname": p.Lastname, "email": p.Email, "origin": "ADMINISTRATOR",
		"language": "EN", "role": role, "enabled": true, "algo": false, "publicKey": uuid.NewString(), "privateKey": uuid.NewString()}
	if err := userClass.insert(t, rec); err != nil {
		return Account{}, err
	}
	if err := storageClass.insert(t, record{"name": p.Username, "user": rec["id"]}); err != nil {
		return Account{}, err
	}
	return Account{ID: rec.int("id"), Username: p.Username, PublicKey: rec.text("publicKey"), PrivateKey: rec.text("privateKey")}, nil
}

// AddOntology adds an empty vocabulary and returns its id.
func (s *Server) AddOntology(ctx context.Context, name string) (int64, error) {
	return s.seed(ctx, ontologyClass, object{"name": name})
}

// AddTerm adds a term with a colour like "#ff0000" to an ontology.
func (s *Server) AddTerm(ctx context.Context, ontology int64, name, colour string) (int64, error) {
	return s.seed(ctx, termClass, object{"name": name, "ontology": ontology, "color": colour})
}

// NewProject describes a project to add. Ontology 0 is none. In a ReadOnly project
// only managers write, in a Restricted one members change only what is theirs.
type NewProject struct {
	Name                        string
	Ontology                    int64
	ReadOnly, Restricted, Blind bool
}

// AddProject adds a project whose manager is the administrator.
func (s *Server) AddProject(ctx context.Context, p NewProject) (int64, error) {
	o := object{"name": p.Name, "isReadOnly": p.ReadOnly, "isRestricted": p.Restricted, "blindMode": p.Blind, "areImagesDownloadable": true}
	if p.Ontology != 0 {
		o["ontology"] = p.Ontology
	}
	return s.seed(ctx, projectClass, o)
}

// AddMember makes a person a member of a project, or its manager.
func (s *Server) AddMember(ctx context.Context, project, user int64, manager bool) error {
	return s.store.update(ctx, func(t *tx) error { return addMember(t, project, user, manager) })
}

// NewImage describes an image to add.
type NewImage struct {
	// Project that shows the image.
	Project int64
	// Name is the original file name, with its extension.
	Name string
	// Resolution in µm per pixel, 0 when it is not known.
	Resolution float64
	// Magnification of the objective, 0 when it is not known.
	Magnification int64
}

// AddImage stores a PNG, JPEG, GIF or TIFF read to its end and shows it in a
// project. It returns the id of the image in the project.
func (s *Server) AddImage(ctx context.Context, img NewImage, data io.Reader) (int64, error) {
	u, err := s.copyIn(data)
	if err != nil {
		return 0, err
	}
	defer u.discard()
	admin, err := s.Admin(ctx)
	if err != nil {
		return 0, err
	}
	var id int64
	err = s.store.update(ctx, func(t *tx) error {
		if ok, err := exists(t, "SELECT 1 FROM project WHERE id=?", img.Project); err != nil {
			return err
		} else if !ok {
			return wrong("there is no project %d to show the image in", img.Project)
		}
		abstract, err := s.storeImage(t, u, baseName(img.Name), img.Resolution, img.Magnification, admin.ID, 0)
		if err != nil {
			return err
		}
		id, err = placeImage(t, abstract.int("id"), img.Project, admin.ID)
		return err
	})
	return id, err
}

// seed adds an object in the name of the administrator.
func (s *Server) seed(ctx context.Context, cl *class, o object) (int64, error) {
	admin, err := s.Admin(ctx)
	if err != nil {
		return 0, err
	}
	c := &call{s: s, user: &identity{id: admin.ID, human: admin.ID, username: admin.Username, role: roleAdmin, enabled: true}}
	var id int64
	err = s.store.update(ctx, func(t *tx) error {
		rec, err := cl.decode(t, o, nil)
		if err != nil {
			return err
		}
		if cl.check != nil {
			if err := cl.check(c, t, nil, rec); err != nil {
				return err
			}
		}
		if err := cl.insert(t, rec); err != nil {
			return err
		}
		id = rec.int("id")
		if cl.added != nil {
			return cl.added(c, t, rec)
		}
		return nil
	})
	return id, err
}
