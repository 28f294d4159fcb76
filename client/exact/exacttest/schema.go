package exacttest

// kind is what a column holds, and so how it is read, checked and written.
type kind int

const (
	key      kind = iota // the id, set by the server
	whole                // integer
	number               // float
	text                 // string of at most max characters
	email                // text that must hold an @
	address              // text that must be a URL
	flag                 // boolean
	moment               // naive local time
	document             // any JSON
	file                 // an uploaded file, answered as an absolute URL
	link                 // the id of a row of another table
	links                // ids of rows of another table, stored here
	back                 // ids of rows of another table that point here; writable, and then it re-parents
	backOne              // the one row of another table that points here, or null
)

type column struct {
	name     string
	kind     kind
	to       string // table of a link, links or back
	via      string // column of that table which points here, for back and backOne
	max      int
	need     bool // required on create
	null     bool
	fixed    bool // written by the server only
	optional bool // a back that may be left out on create
	value    any  // what a create without it stores
}

// schema is a table as the API shows it; columns are in the order that the
// server writes them.
type schema struct {
	name    string // last part of its path
	path    string // below /api/v1/
	title   string // as in "No PluginJob matches the given query."
	model   string // as in the permission change_pluginjob
	expands string // columns that ?expand= opens, between spaces
	columns []column
	at      map[string]int
}

func (s *schema) col(name string) int {
	i, ok := s.at[name]
	if !ok {
		return -1
	}
	return i
}

var schemas = index([]*schema{
	{name: "users", path: "users/users", title: "User", model: "auth.user", columns: []column{
		{name: "id"}, {name: "username", kind: text}, {name: "is_superuser", kind: flag}, {name: "is_staff", kind: flag},
		{name: "is_active", kind: flag}, {name: "last_login", kind: moment, null: true}, {name: "team_set", kind: links, to: "teams"}}},
	{name: "teams", path: "users/teams", title: "Team", model: "users.team", columns: []column{
		{name: "id"}, {name: "name", kind: text}, {name: "members", kind: back, to: "users", via: "team_set"},
		{name: "image_sets", kind: back, to: "image_sets", via: "team"}, {name: "product_set", kind: back, to: "products", via: "team"},
		{name: "memberships", kind: back, to: "users", via: "team_set"}}},
	{name: "products", path: "administration/products", title: "Product", model: "administration.product", expands: " imagesets annotationtype_set team creator ", columns: []column{
		{name: "id"}, {name: "name", kind: text}, {name: "description", kind: text, null: true}, {name: "team", kind: link, to: "teams"},
		{name: "creator", kind: link, to: "users", null: true}, {name: "imagesets", kind: back, to: "image_sets", via: "product_set"},
		{name: "annotationtype_set", kind: back, to: "annotation_types", via: "product"}}},
	{name: "annotation_types", path: "annotations/annotation_types", title: "AnnotationType", model: "annotations.annotationtype", expands: " product ", columns: []column{
		{name: "id"}, {name: "name", kind: text}, {name: "vector_type", kind: whole}, {name: "node_count", kind: whole, value: 0},
		{name: "enable_concealed", kind: flag, value: true}, {name: "enable_blurred", kind: flag, value: true}, {name: "color_code", kind: text},
		{name: "multi_frame", kind: flag, value: false}, {name: "default_width", kind: whole, value: 50}, {name: "default_height", kind: whole, value: 50},
		{name: "sort_order", kind: whole, value: 0}, {name: "closed", kind: flag, value: true}, {name: "area_hit_test", kind: flag, value: true},
		{name: "product", kind: link, to: "products"}}},
	{name: "image_sets", path: "images/image_sets", title: "ImageSet", model: "images.imageset", expands: " images product_set team creator ", columns: []column{
		{name: "id"}, {name: "name", kind: text, max: 100, need: true}, {name: "path", kind: text, null: true}, {name: "location", kind: text, null: true},
		{name: "description", kind: text, null: true}, {name: "images", kind: back, to: "images", via: "image_set"},
		{name: "product_set", kind: links, to: "products", need: true}, {name: "main_annotation_type", kind: link, to: "annotation_types", null: true},
		{name: "set_tags", kind: links, to: "set_tags", need: true}, {name: "team", kind: link, to: "teams", need: true},
		{name: "creator", kind: link, to: "users", null: true}, {name: "collaboration_type", kind: whole, value: 0}}},
	{name: "images", path: "images/images", title: "Image", model: "images.image", expands: " image_set annotations ", columns: []column{
		{name: "id"}, {name: "name", kind: text}, {name: "filename", kind: text}, {name: "time", kind: moment}, {name: "height", kind: whole},
		{name: "width", kind: whole}, {name: "depth", kind: whole, value: 1}, {name: "frames", kind: whole, value: 1}, {name: "channels", kind: whole, value: 3},
		{name: "mpp", kind: number, value: 0.0}, {name: "objectivePower", kind: number, value: 1.0}, {name: "FrameDescriptions", kind: links, to: "frames"},
		{name: "defaultFrame", kind: whole, value: 0}, {name: "image_type", kind: whole, value: 0}, {name: "image_set", kind: link, to: "image_sets"},
		{name: "annotations", kind: back, to: "annotations", via: "image"}}},
	{name: "plugins", path: "processing/plugins", title: "Plugin", model: "processing.plugin", expands: " products results ", columns: []column{
		{name: "id"}, {name: "name", kind: text, max: 200, need: true}, {name: "author", kind: text, max: 200, need: true},
		{name: "contact", kind: email, max: 80, need: true}, {name: "package", kind: text, max: 200, value: ""},
		{name: "abouturl", kind: address, max: 80, need: true}, {name: "icon", kind: file, need: true},
		{name: "products", kind: links, to: "products"}, {name: "results", kind: back, to: "pluginresults", via: "plugin", optional: true}}},
	{name: "pluginjobs", path: "processing/pluginjobs", title: "PluginJob", model: "processing.pluginjob", expands: " creator result ", columns: []column{
		{name: "id"}, {name: "creator", kind: link, to: "users", null: true}, {name: "plugin", kind: link, to: "plugins", need: true},
		{name: "created_time", kind: moment, fixed: true}, {name: "eta_time", kind: moment}, {name: "image", kind: link, to: "images", need: true},
		{name: "error_message", kind: text, null: true}, {name: "error_detail", kind: text, null: true},
		{name: "attached_worker", kind: text, max: 200, null: true}, {name: "processing_complete", kind: number, value: 0.0},
		{name: "updated_time", kind: moment}, {name: "result", kind: backOne, to: "pluginresults", via: "job"}}},
	{name: "pluginresults", path: "processing/pluginresults", title: "PluginResult", model: "processing.pluginresult", expands: " image plugin job entries ", columns: []column{
		{name: "id"}, {name: "image", kind: link, to: "images", need: true}, {name: "job", kind: link, to: "pluginjobs", null: true},
		{name: "plugin", kind: link, to: "plugins", need: true}, {name: "default_alpha", kind: number, value: 1.0},
		{name: "completed_time", kind: moment}, {name: "created_time", kind: moment, fixed: true},
		{name: "entries", kind: back, to: "pluginresultentrys", via: "pluginresult"}}},
	{name: "pluginresultentrys", path: "processing/pluginresultentrys", title: "PluginResultEntry", model: "processing.pluginresultentry", expands: " annotation_results bitmap_results ", columns: []column{
		{name: "id"}, {name: "pluginresult", kind: link, to: "pluginresults", need: true}, {name: "created_time", kind: moment, fixed: true},
		{name: "name", kind: text, max: 200, need: true}, {name: "visible", kind: flag, value: true}, {name: "default_threshold", kind: number, value: 0.0},
		{name: "annotation_results", kind: back, to: "pluginresultannotations", via: "pluginresultentry"},
		{name: "bitmap_results", kind: back, to: "pluginresultbitmaps", via: "pluginresultentry"}}},
	{name: "pluginresultannotations", path: "processing/pluginresultannotations", title: "PluginResultAnnotation", model: "processing.pluginresultannotation", expands: " annotation_type image ", columns: []column{
		{name: "id"}, {name: "annotation_type", kind: link, to: "annotation_types", need: true}, {name: "pluginresultentry", kind: link, to: "pluginresultentrys", need: true},
		{name: "meta_data", kind: document, null: true}, {name: "vector", kind: document, null: true}, {name: "score", kind: number, null: true, value: 0.0},
		{name: "unique_identifier", kind: text}, {name: "generated", kind: flag, fixed: true, value: true}, {name: "plugin", kind: link, to: "plugins", fixed: true},
		{name: "image", kind: link, to: "images", need: true}, {name: "time", kind: moment, fixed: true}}},
	{name: "pluginresultbitmaps", path: "processing/pluginresultbitmaps", title: "PluginResultBitmap", model: "processing.pluginresultbitmap", expands: " image ", columns: []column{
		{name: "id"}, {name: "bitmap", kind: file, need: true}, {name: "channels", kind: whole, value: 1}, {name: "default_alpha", kind: number, value: 1.0},
		{name: "default_threshold", kind: number, value: 0.0}, {name: "meta_data", kind: document, null: true}, {name: "name", kind: text, max: 200, need: true},
		{name: "scale_max", kind: number, value: 1.0}, {name: "plugin", kind: link, to: "plugins", fixed: true}, {name: "scale_min", kind: number, value: 0.0},
		{name: "location_rect", kind: document}, {name: "frame", kind: whole, value: 1}, {name: "pluginresultentry", kind: link, to: "pluginresultentrys", need: true},
		{name: "image", kind: link, to: "images", need: true}}},
	{name: "annotations", path: "annotations/annotations", title: "Annotation", model: "annotations.annotation", expands: " annotation_type user image last_editor ", columns: []column{
		{name: "annotation_type", kind: link, to: "annotation_types", need: true}, {name: "id"}, {name: "vector", kind: document, null: true},
		{name: "verified_by_user", kind: flag, fixed: true, value: false}, {name: "image", kind: link, to: "images", need: true},
		{name: "concealed", kind: flag, value: false}, {name: "blurred", kind: flag, value: false}, {name: "last_editor", kind: link, to: "users", null: true},
		{name: "last_edit_time", kind: moment, fixed: true}, {name: "user", kind: link, to: "users", null: true}, {name: "time", kind: moment},
		{name: "generated", kind: flag, value: false}, {name: "deleted", kind: flag, value: false}, {name: "description", kind: text, value: ""},
		{name: "unique_identifier", kind: text}, {name: "uploaded_media_files", kind: links, to: "media"}, {name: "meta_data", kind: document, null: true},
		{name: "annotationversion_set", kind: links, to: "versions"}}},
})

func index(list []*schema) map[string]*schema {
	m := make(map[string]*schema, len(list))
	for _, s := range list {
		s.at = make(map[string]int, len(s.columns))
		for i, c := range s.columns {
			s.at[c.name] = i
		}
		m[s.name] = s
	}
	return m
}
