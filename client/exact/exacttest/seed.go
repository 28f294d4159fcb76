package exacttest

import "fmt"

// User is an account. A Super may everything that its teams may see.
type User struct {
	Name, Password string
	Super          bool
	Teams          []int
	Permissions    []string // as processing.change_pluginjob
}

// AddTeam and its like put something on the server and return its id.
func (s *Server) AddTeam(name string) int {
	return s.add("teams", map[string]any{"name": name})
}

// AddUser adds an account.
func (s *Server) AddUser(u User) int {
	id := s.add("users", map[string]any{"username": u.Name, "is_superuser": u.Super, "is_staff": u.Super, "is_active": true,
		"team_set": append([]int{}, u.Teams...)})
	a := &account{id: id, name: u.Name, password: u.Password, super: u.Super, perms: map[string]bool{}}
	for _, p := range u.Permissions {
		a.perms[p] = true
	}
	s.mu.Lock()
	s.users[id] = a
	s.mu.Unlock()
	return id
}

// AddProduct adds a product of a team.
func (s *Server) AddProduct(name string, team int) int {
	return s.add("products", map[string]any{"name": name, "description": "demo", "team": team, "creator": 1})
}

// AddType adds an annotation type; vector is 1 box, 2 point, 3 line, 4 path,
// 5 polygon, 6 fixed box, 7 global.
func (s *Server) AddType(product int, name string, vector int, color string) int {
	return s.add("annotation_types", map[string]any{"name": name, "vector_type": vector, "color_code": color, "product": product})
}

// AddImageSet adds an image set of a team, with its products.
func (s *Server) AddImageSet(name string, team int, products ...int) int {
	return s.add("image_sets", map[string]any{"name": name, "team": team, "product_set": append([]int{}, products...),
		"creator": 1, "path": "exact_1_1"})
}

// Plugin as a worker registered it.
type Plugin struct {
	Name, Package string
	Products      []int
}

// AddPlugin adds a plugin; nothing keeps two from the same package.
func (s *Server) AddPlugin(p Plugin) int {
	return s.add("plugins", map[string]any{"name": p.Name, "package": p.Package, "author": "A. Author", "contact": "a@example.org",
		"abouturl": "https://example.org/detector", "products": append([]int{}, p.Products...), "icon": "/media/plugins/" + p.Name + "_None/icon.png"})
}

// Image and what its download holds.
type Image struct {
	Name     string // as uploaded
	Filename string // as the download is named; Name where empty
	Width    int    // 1000 where 0
	Height   int
	Type     int     // 1: made by the server
	MPP      float64 // µm for each pixel; 0 is unknown
	Content  []byte
	// Size, if set, is how many bytes the download has: Content over and over.
	Size int64
	// Zip, if set, is what the archive of a .mrxs holds, names as they are.
	Zip map[string]string
}

// AddImage adds an image to a set.
func (s *Server) AddImage(set int, im Image) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addImage(set, im)
}

func (s *Server) addImage(set int, im Image) int {
	if im.Filename == "" {
		im.Filename = im.Name
	}
	if im.Width == 0 {
		im.Width = 1000
	}
	if im.Height == 0 {
		im.Height = im.Width
	}
	id := s.insert("images", map[string]any{"name": im.Name, "filename": im.Filename, "width": im.Width, "height": im.Height,
		"mpp": im.MPP, "image_type": im.Type, "image_set": set, "time": s.stamp()})
	s.files[id] = im
	return id
}

// AddImages adds n small images with names that count, and returns their ids.
func (s *Server) AddImages(set, n int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = s.AddImage(set, Image{Name: fmt.Sprintf("field_%05d.png", i+1), Content: pixel})
	}
	return ids
}

// AddJob creates a job as its creator would, also a second one for the same
// image and plugin.
func (s *Server) AddJob(image, plugin, creator int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newJob(image, plugin, creator).id
}

func (s *Server) add(table string, values map[string]any) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.insert(table, values)
}

func (s *Server) insert(table string, values map[string]any) int {
	t := s.st[table]
	r := t.blank()
	for name, v := range values {
		r.v[t.at[name]] = v
	}
	t.put(r)
	return r.id
}

// pixel is a PNG of one pixel.
var pixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa7\x9a\xa0\xa0\x00\x00\x00\x00IEND\xaeB`\x82")

// Demo is what the recorded server held: two colleagues and a worker in one
// team, somebody outside of it, one product with a type of every kind, and an
// image set of three images.
type Demo struct {
	Team, Product, Set             int
	Images, Types                  []int
	Admin, Worker, Plain, Outsider int
}

// AddDemo puts a Demo on an empty server. Passwords are NAME-pass-1; that of
// the administrator exact is exact.
func (s *Server) AddDemo() Demo {
	var d Demo
	d.Team = s.AddTeam("Pathology")
	team := []int{d.Team}
	d.Admin = s.AddUser(User{Name: "exact", Password: "exact", Super: true, Teams: team})
	d.Worker = s.AddUser(User{Name: "worker", Password: "worker-pass-1", Teams: team, Permissions: WorkerPermissions})
	d.Plain = s.AddUser(User{Name: "plain", Password: "plain-pass-1", Teams: team})
	d.Outsider = s.AddUser(User{Name: "outsider", Password: "outsider-pass-1"})
	d.Product = s.AddProduct("Mitosis", d.Team)
	for i, t := range []struct{ name, color string }{{"Mitotic figure", "#FF0000"}, {"Spot", "#00FF00"}, {"Line", "#0000FF"},
		{"Path", "#00FFFF"}, {"Region", "#FFFF00"}, {"Fixed box", "#FF00FF"}, {"Global", "#999999"}} {
		d.Types = append(d.Types, s.AddType(d.Product, t.name, i+1, t.color))
	}
	d.Set = s.AddImageSet("set-1", d.Team, d.Product)
	for _, im := range []Image{{Name: "field_a.png", Width: 1200, Height: 900}, {Name: "field_b.png", Width: 1000, Height: 800},
		{Name: "slide_c.tif", Width: 2048, Height: 1536}} {
		im.Content = pixel
		d.Images = append(d.Images, s.AddImage(d.Set, im))
	}
	return d
}
