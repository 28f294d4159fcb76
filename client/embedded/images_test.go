package embedded

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/image/tiff"
)

// picture decodes an answer and checks its media type.
func (r *reply) picture() image.Image {
	r.t.Helper()
	r.ok()
	img, format, err := image.Decode(bytes.NewReader(r.body))
	if err != nil {
		r.t.Fatalf("no picture: %v", err)
	}
	if got := r.header.Get("Content-Type"); got != "image/"+format {
		r.t.Errorf("Content-Type %s of a %s", got, format)
	}
	return img
}

// grey is the brightness of a pixel.
func grey(img image.Image, x, y int) uint8 {
	return color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y
}

func TestAnImageIsDescribedInFull(t *testing.T) {
	s := newSite(t)
	m := s.get("/api/imageinstance/%d.json", s.image).ok().object()
	for name, want := range map[string]any{"class": "be.cytomine.image.ImageInstance", "instanceFilename": "half.png", "originalFilename": "half.png",
		"width": 100.0, "height": 80.0, "resolution": nil, "magnification": nil, "project": float64(s.project), "mime": "image/png", "contentType": "image/png",
		"extension": "png", "depth": 0.0, "zoom": 0.0, "bitDepth": 8.0, "bitPerSample": 8.0, "samplePerPixel": 1.0, "colorspace": "grayscale", "channels": 1.0,
		"physicalSizeX": nil, "numberOfAnnotations": 0.0, "reviewed": false, "inReview": false, "reviewStart": nil, "blindedName": nil} {
		if got, ok := m[name]; !ok || got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	row := s.get("/api/project/%d/imageinstance.json", s.project).list()[0]
	if row["projectName"] != "demo" || row["projectBlind"] != false {
		t.Errorf("list row %v", row)
	}
	light := s.get("/api/project/%d/imageinstance.json?light=true", s.project).list()[0]
	if light["instanceFilename"] != "half.png" || light["id"] != m["id"] || light["width"] != nil {
		t.Errorf("light row %v", light)
	}
	abstract := s.get("/api/abstractimage/%d.json", int64(m["baseImage"].(float64))).ok().object()
	if abstract["class"] != "be.cytomine.image.AbstractImage" || abstract["width"] != 100.0 {
		t.Errorf("abstract %v", abstract)
	}
	slices := s.get("/api/imageinstance/%d/sliceinstance.json", s.image).list()
	ref := s.get("/api/imageinstance/%d/sliceinstance/reference.json", s.image).ok().object()
	if len(slices) != 1 || slices[0]["id"] != ref["id"] || ref["image"] != float64(s.image) || ref["mime"] != "image/png" || ref["imageServerUrl"] != s.url {
		t.Errorf("slices %v, reference %v", slices, ref)
	}
	if again := s.get("/api/sliceinstance/%d.json", int64(ref["id"].(float64))).ok().object(); again["image"] != float64(s.image) {
		t.Errorf("slice %v", again)
	}
}

func TestAttributesOfAnImageInAProject(t *testing.T) {
	s := newSite(t)
	base := s.get("/api/imageinstance/%d.json", s.image).id("baseImage")
	other, err := s.srv.AddProject(context.Background(), NewProject{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	made := s.post("/api/imageinstance.json", map[string]any{"baseImage": base, "project": other, "instanceFilename": "mine", "magnification": 40})
	m := made.ok().object()["imageinstance"].(map[string]any)
	if m["instanceFilename"] != "mine" || m["magnification"] != 40.0 || m["originalFilename"] != "half.png" {
		t.Errorf("%v", m)
	}
	s.post("/api/imageinstance.json", map[string]any{"baseImage": base, "project": other}).want(409)
	s.post("/api/imageinstance.json", map[string]any{"project": other}).want(400)
	s.post("/api/imageinstance.json", map[string]any{"baseImage": base}).want(400)
	s.remove("/api/abstractimage/%d.json", base).want(403) // shown in projects
	if n := s.get("/api/project/%d.json", other).id("numberOfImages"); n != 1 {
		t.Errorf("the project counts %d images", n)
	}
	s.remove("/api/imageinstance/%d.json", made.id("imageinstance", "id")).ok()
	if n := s.get("/api/project/%d.json", other).id("numberOfImages"); n != 0 {
		t.Errorf("the project counts %d images after the deletion", n)
	}
	second, err := s.srv.AddImage(context.Background(), NewImage{Project: s.project, Name: "b.png"}, bytes.NewReader(halfImage(300, 10)))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.get("/api/imageinstance/%d/next.json", second).id("id"); got != s.image {
		t.Errorf("next %d", got)
	}
	if got := s.get("/api/imageinstance/%d/previous.json", s.image).id("id"); got != second {
		t.Errorf("previous %d", got)
	}
	if got := s.get("/api/imageinstance/%d/next.json", s.image).ok().object(); len(got) != 0 {
		t.Errorf("after the last comes %v", got)
	}
	if got := s.get("/api/project/%d/imageinstance.json?sort=width&order=asc", s.project).list(); got[0]["width"] != 100.0 || len(got) != 2 {
		t.Errorf("sorted by width: %v", got)
	}
	if got := s.get("/api/project/%d/imageinstance.json?instanceFilename[ilike]=B%%25", s.project).list(); len(got) != 1 {
		t.Errorf("filtered by name: %v", got)
	}
}

func TestABlindProjectHidesTheNamesOfImages(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	bob, err := s.srv.AddUser(ctx, Person{Username: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	blind, err := s.srv.AddProject(ctx, NewProject{Name: "blind", Blind: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.srv.AddMember(ctx, blind, bob.ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.srv.AddImage(ctx, NewImage{Project: blind, Name: "Mrs Smith.png"}, bytes.NewReader(halfImage(10, 10))); err != nil {
		t.Fatal(err)
	}
	if r := s.as(bob).get("/api/project/%d/imageinstance.json", blind).ok(); strings.Contains(string(r.body), "Smith") {
		t.Errorf("%s", r.body)
	}
}

func TestPicturesOfAnImage(t *testing.T) {
	s := newSite(t)
	base := s.get("/api/imageinstance/%d.json", s.image).id("baseImage")
	slice := s.get("/api/imageinstance/%d/sliceinstance/reference.json", s.image).id("id")
	for _, c := range []struct {
		path string
		w, h int
		left uint8 // brightness of the left and the right edge
		edge uint8
	}{
		{fmt.Sprintf("/api/imageinstance/%d/thumb.png", s.image), 100, 80, 0, 255},
		{fmt.Sprintf("/api/imageinstance/%d/thumb.jpg?maxSize=50&bits=8", s.image), 50, 40, 0, 255},
		{fmt.Sprintf("/api/imageinstance/%d/thumb.tif?maxSize=50", s.image), 50, 40, 0, 255},
		{fmt.Sprintf("/api/imageinstance/%d/thumb.png?maxSize=1000", s.image), 100, 80, 0, 255},
		{fmt.Sprintf("/api/imageinstance/%d/preview.png", s.image), 100, 80, 0, 255},
		{fmt.Sprintf("/api/abstractimage/%d/thumb.png?maxSize=10", base), 10, 8, 0, 255},
		{fmt.Sprintf("/api/sliceinstance/%d/thumb.jpg", slice), 100, 80, 0, 255},
		{fmt.Sprintf("/api/imageinstance/%d/thumb.png?inverse=true", s.image), 100, 80, 255, 0},
		{fmt.Sprintf("/api/imageinstance/%d/window-40-10-20-30.png", s.image), 20, 30, 0, 255},
		{fmt.Sprintf("/api/imageinstance/%d/window-40-10-20-30.jpg?maxSize=15", s.image), 10, 15, 0, 255},
		{fmt.Sprintf("/api/imageinstance/%d/window-60-10-20-30.png?zoom=1", s.image), 10, 15, 255, 255},
		{fmt.Sprintf("/api/imageinstance/%d/window-90-70-50-50.png", s.image), 10, 10, 255, 255}, // what is inside
		{fmt.Sprintf("/api/imageinstance/%d/window--5--5-20-20.png", s.image), 20, 20, 0, 0},
		{fmt.Sprintf("/api/sliceinstance/%d/window-0-0-100-10.png", slice), 100, 10, 0, 255},
	} {
		r := s.get("%s", c.path)
		img := r.picture()
		if b := img.Bounds(); b.Dx() != c.w || b.Dy() != c.h {
			t.Errorf("%s: %d x %d, want %d x %d", c.path, b.Dx(), b.Dy(), c.w, c.h)
			continue
		}
		if l, e := grey(img, 0, 0), grey(img, c.w-1, c.h-1); l/8 != c.left/8 || e/8 != c.edge/8 {
			t.Errorf("%s: left %d, right %d", c.path, l, e)
		}
	}
	for path, want := range map[string]int{
		"window-1-2-3.png": 400, "window-a-b-c-d.png": 400, "window-0-0-0-5.png": 400, "window-0-0-5001-5000.png": 413, "nonsense.png": 400,
	} {
		s.get("/api/imageinstance/%d/%s", s.image, path).want(want)
	}
	s.get("/api/imageinstance/4711/thumb.png").want(404)
	r := s.get("/api/imageinstance/%d/download", s.image).ok()
	if !bytes.Equal(r.body, halfImage(100, 80)) || !strings.Contains(r.header.Get("Content-Disposition"), "half.png") {
		t.Errorf("download: %d bytes, %s", len(r.body), r.header.Get("Content-Disposition"))
	}
}

// The y axis of annotations points up, that of pixels down.
func TestCropsAndMasksOfAnnotations(t *testing.T) {
	s := newSite(t)
	// The upper left triangle of the square from (40,60) to (60,80) at the top of the image.
	id := s.annotate("POLYGON ((40 60, 60 80, 40 80, 40 60))")
	crop := s.get("/api/userannotation/%d/crop.png", id).picture()
	if b := crop.Bounds(); b.Dx() != 20 || b.Dy() != 20 || grey(crop, 0, 0) != 0 || grey(crop, 19, 0) != 255 {
		t.Errorf("crop %v", b)
	}
	mask := s.get("/api/annotation/%d/mask.png", id).picture()
	if b := mask.Bounds(); b.Dx() != 20 || b.Dy() != 20 {
		t.Fatalf("mask %v", b)
	}
	white := 0
	for y := range 20 {
		for x := range 20 {
			if grey(mask, x, y) == 255 {
				white++
			}
		}
	}
	if white < 180 || white > 220 || grey(mask, 1, 1) != 255 || grey(mask, 18, 18) != 0 {
		t.Errorf("%d white pixels; the corners are %d and %d", white, grey(mask, 1, 1), grey(mask, 18, 18))
	}
	alpha := s.get("/api/userannotation/%d/alphamask.jpg", id).picture().(*image.NRGBA) // a PNG whatever was asked for
	if alpha.NRGBAAt(1, 1).A != 255 || alpha.NRGBAAt(18, 18).A != 0 {
		t.Errorf("alpha %v and %v", alpha.NRGBAAt(1, 1), alpha.NRGBAAt(18, 18))
	}
	for query, want := range map[string]image.Point{
		"maxSize=5": {X: 5, Y: 5}, "zoom=1": {X: 10, Y: 10}, "increaseArea=1.5": {X: 30, Y: 25}, "complete=True&bits=8": {X: 20, Y: 20}} {
		if got := s.get("/api/annotation/%d/crop.png?%s", id, query).picture().Bounds().Size(); got != want { // the top edge cuts the larger one
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	flat := s.annotate("POLYGON ((10 10, 50 10, 50 20, 10 20, 10 10))")
	if got := s.get("/api/annotation/%d/crop.png?square=true", flat).picture().Bounds().Size(); got != image.Pt(40, 35) {
		t.Errorf("square %v", got)
	}
	point := s.annotate("POINT (50 40)")
	if got := s.get("/api/annotation/%d/crop.png", point).picture().Bounds().Size(); got != image.Pt(100, 80) { // 100 x 100 around it
		t.Errorf("point %v", got)
	}
	s.get("/api/annotation/%d/mask.png", point).picture()
	edge := s.annotate("POINT (100 80)")
	s.get("/api/annotation/%d/crop.jpg", edge).picture()
	hole := s.annotate("POLYGON ((0 0, 20 0, 20 20, 0 20, 0 0), (5 5, 15 5, 15 15, 5 15, 5 5))")
	if m := s.get("/api/annotation/%d/mask.png", hole).picture(); grey(m, 10, 10) != 0 || grey(m, 2, 10) != 255 {
		t.Error("the hole is painted")
	}
	s.get("/api/annotation/4711/crop.png").want(404)
}

// The Python client looks at the number of channels, also where a mask covers
// every pixel.
func TestAnAlphaMaskAlwaysHasAFourthChannel(t *testing.T) {
	s := newSite(t)
	id := s.annotate(square)
	r := s.get("/api/annotation/%d/alphamask.png", id).ok()
	cfg, err := png.DecodeConfig(bytes.NewReader(r.body))
	if err != nil || cfg.ColorModel != color.NRGBAModel {
		t.Errorf("%v %v", cfg.ColorModel, err)
	}
	tif := s.get("/api/annotation/%d/alphamask.tif", id).ok()
	if cfg, err := tiff.DecodeConfig(bytes.NewReader(tif.body)); err != nil || cfg.ColorModel != color.NRGBAModel {
		t.Errorf("TIFF: %v %v", cfg.ColorModel, err)
	}
}

func TestWindowsThatShowAnnotations(t *testing.T) {
	s := newSite(t)
	software, _ := s.software("Demo")
	_, keys := s.job(software)
	with := s.annotate("POLYGON ((0 70, 10 70, 10 80, 0 80, 0 70))", s.term)     // top left
	s.annotate("POLYGON ((0 50, 10 50, 10 60, 0 60, 0 50))")                     // no term, below it
	s.as(keys).annotate("POLYGON ((20 70, 30 70, 30 80, 20 80, 20 70))", s.term) // of a job, right of it
	spots := func(query string) string {
		img := s.get("/api/imageinstance/%d/window-0-0-40-40.png?%s", s.image, query).picture()
		var out []string
		for _, p := range []image.Point{{X: 5, Y: 5}, {X: 5, Y: 25}, {X: 25, Y: 5}} {
			v := "."
			if n, ok := img.(*image.NRGBA); ok && n.NRGBAAt(p.X, p.Y).A == 255 || !ok && grey(img, p.X, p.Y) == 255 {
				v = "x"
			}
			out = append(out, v)
		}
		return strings.Join(out, "")
	}
	for query, want := range map[string]string{
		"mask=true": "x..", "mask=true&annotations=" + fmt.Sprint(with): "x..", fmt.Sprintf("mask=true&users=%d", keys.ID): "..x",
		fmt.Sprintf("mask=true&users=%d,%d&terms=%d", keys.ID, s.admin.ID, s.term): "x.x", "alphaMask=true": "x..", "mask=true&terms=4711": "...", "mask=true&reviewed=true": "...",
	} {
		if got := spots(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestTIFFsAreReadAndWritten(t *testing.T) {
	s := newSite(t)
	deep := image.NewGray16(image.Rect(0, 0, 30, 20))
	deep.SetGray16(29, 19, color.Gray16{Y: 0xabcd})
	var b bytes.Buffer
	if err := tiff.Encode(&b, deep, nil); err != nil {
		t.Fatal(err)
	}
	id, err := s.srv.AddImage(context.Background(), NewImage{Project: s.project, Name: "deep.tif"}, bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	m := s.get("/api/imageinstance/%d.json", id).ok().object()
	if m["width"] != 30.0 || m["bitDepth"] != 16.0 || m["mime"] != "image/tiff" || m["extension"] != "tif" {
		t.Errorf("%v", m)
	}
	for format, want := range map[string]color.Color{"thumb.tif?bits=max": color.Gray16{Y: 0xabcd}, "thumb.tif": color.Gray{Y: 0xab}, "thumb.png?bits=16": color.Gray16{Y: 0xabcd}} {
		if got := s.get("/api/imageinstance/%d/%s", id, format).picture().At(29, 19); got != want {
			t.Errorf("%s: %v, want %v", format, got, want)
		}
	}
	// Three channels stay three channels.
	red := image.NewRGBA(image.Rect(0, 0, 9, 7))
	for i := range red.Pix {
		red.Pix[i] = [4]byte{200, 10, 20, 255}[i%4]
	}
	b.Reset()
	if err := png.Encode(&b, red); err != nil {
		t.Fatal(err)
	}
	if id, err = s.srv.AddImage(context.Background(), NewImage{Project: s.project, Name: "red.png"}, &b); err != nil {
		t.Fatal(err)
	}
	r := s.get("/api/imageinstance/%d/thumb.tif", id).ok()
	img, err := tiff.Decode(bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if cfg, _ := tiff.DecodeConfig(bytes.NewReader(r.body)); cfg.ColorModel != color.RGBAModel {
		t.Errorf("%v is no RGB", cfg.ColorModel)
	}
	if rr, g, bl, _ := img.At(8, 6).RGBA(); rr>>8 != 200 || g>>8 != 10 || bl>>8 != 20 {
		t.Errorf("colour %d %d %d", rr>>8, g>>8, bl>>8)
	}
	// A kind nobody here can decode is measured, and downloaded as it is.
	strange := []byte("II*\x00\x08\x00\x00\x00\x04\x00" +
		"\x00\x01\x03\x00\x01\x00\x00\x00\x05\x00\x00\x00" + "\x01\x01\x03\x00\x01\x00\x00\x00\x04\x00\x00\x00" +
		"\x02\x01\x03\x00\x01\x00\x00\x00\x20\x00\x00\x00" + "\x53\x01\x03\x00\x01\x00\x00\x00\x03\x00\x00\x00" + "\x00\x00\x00\x00")
	if id, err = s.srv.AddImage(context.Background(), NewImage{Project: s.project, Name: "float.tif"}, bytes.NewReader(strange)); err != nil {
		t.Fatal(err)
	}
	if m := s.get("/api/imageinstance/%d.json", id).ok().object(); m["width"] != 5.0 || m["height"] != 4.0 || m["bitDepth"] != 32.0 {
		t.Errorf("%v", m)
	}
	if !bytes.Equal(s.get("/api/imageinstance/%d/download", id).ok().body, strange) {
		t.Error("the download differs")
	}
	s.get("/api/imageinstance/%d/thumb.png", id).want(500)
}

func TestFilesThatAreNoImagesAreRefused(t *testing.T) {
	s := newSite(t)
	for _, data := range []string{"", "hello", "II*\x00\xff\xff\xff\xff", "\x89PNG\r\n\x1a\n"} {
		if _, err := s.srv.AddImage(context.Background(), NewImage{Project: s.project, Name: "x.png"}, strings.NewReader(data)); err == nil {
			t.Errorf("%q was accepted", data)
		}
	}
	if _, err := s.srv.AddImage(context.Background(), NewImage{Project: 4711, Name: "x.png"}, bytes.NewReader(halfImage(4, 4))); err == nil {
		t.Error("an image of an unknown project was accepted")
	}
}

// An app that reads a slide tile by tile asks the image server, unsigned.
func TestTilesOfAnImage(t *testing.T) {
	s := newSite(t)
	id, err := s.srv.AddImage(context.Background(), NewImage{Project: s.project, Name: "wide.png"}, bytes.NewReader(halfImage(600, 300)))
	if err != nil {
		t.Fatal(err)
	}
	m := s.get("/api/imageinstance/%d.json", id).ok().object()
	if m["zoom"] != 2.0 {
		t.Fatalf("zoom %v", m["zoom"])
	}
	path := m["fullPath"].(string)
	server := s.get("/api/imaging_server.json").list()[0]["url"].(string)
	urls := s.get("/api/abstractimage/%d/imageservers.json", int64(m["baseImage"].(float64))).ok().object()["imageServersURLs"].([]any)
	slice := s.get("/api/imageinstance/%d/sliceinstance/reference.json", id).ok().object()
	for _, c := range []struct {
		url        string
		w, h       int
		left, edge uint8
	}{
		{server + "/image/tile?zoomify=" + path + "&mimeType=image/png&z=2&x=0&y=0", 256, 256, 0, 0},
		{server + "/image/tile?zoomify=" + path + "&z=2&x=1&y=0", 256, 256, 0, 255},
		{server + "/image/tile?zoomify=" + path + "&z=2&x=2&y=1", 88, 44, 255, 255},
		{server + "/image/tile?zoomify=" + path + "&z=1&x=0&y=0", 256, 150, 0, 255},
		{server + "/image/tile?zoomify=" + path + "&z=0&x=0&y=0", 150, 75, 0, 255},
		{urls[0].(string) + "&tileGroup=0&z=2&x=2&y=0&mimeType=image/png", 88, 256, 255, 255},
		{slice["imageServerUrl"].(string) + "/slice/tile?fif=" + slice["path"].(string) + "&mimeType=image/png&tileIndex=5&z=2", 88, 44, 255, 255},
	} {
		res, err := http.Get(c.url)
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(res.Body)
		res.Body.Close()
		if err != nil || res.Header.Get("Content-Type") != "image/jpeg" {
			t.Fatalf("%s: %v %v", c.url, res.Status, err)
		}
		if _, ok := img.(*image.YCbCr); !ok {
			t.Errorf("%s: %T, apps expect three channels", c.url, img)
		}
		if b := img.Bounds(); b.Dx() != c.w || b.Dy() != c.h || grey(img, 0, 0)/8 != c.left/8 || grey(img, c.w-1, 0)/8 != c.edge/8 {
			t.Errorf("%s: %v %d %d", c.url, b, grey(img, 0, 0), grey(img, c.w-1, 0))
		}
	}
	res, err := http.Get(server + "/image/" + path + "/tile/zoom/2/ti/5.png")
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(res.Body)
	res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := img.(*image.Gray); !ok || img.Bounds().Size() != image.Pt(88, 44) || grey(img, 0, 0) != 255 {
		t.Errorf("newer tile: %T %v", img, img.Bounds())
	}
	for _, bad := range []string{"zoomify=" + path[:len(path)-1] + "x&z=2", "zoomify=1&z=2", "z=2", "zoomify=" + path + "&z=2&x=3", "zoomify=" + path + "&z=9", "zoomify=" + path + "&z=2&y=-1"} {
		res, err := http.Get(s.url + "/image/tile?" + bad)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 404 && res.StatusCode != 400 {
			t.Errorf("%s: %s", bad, res.Status)
		}
	}
}

func TestImagesAreUploadedAsToTheImageServer(t *testing.T) {
	s := newSite(t)
	storage := s.get("/api/storage.json").list()[0]["id"].(float64)
	r := s.upload(fmt.Sprintf("/upload?storage=%d&projects=%d&sync=True&keys=stain,lab&values=DAB,42", int64(storage), s.project), "/home/me/new.png", halfImage(20, 10), nil).ok()
	body := strings.TrimPrefix(strings.TrimSuffix(string(r.body), "]"), "[")
	m := (&reply{t: t, status: 200, body: []byte(body)}).object()
	uploaded := m["uploadedFile"].(map[string]any)
	placed := m["images"].([]any)[0].(map[string]any)["imageInstances"].([]any)[0].(map[string]any)
	abstract := m["images"].([]any)[0].(map[string]any)["image"].(map[string]any)
	if uploaded["status"] != 100.0 || uploaded["originalFilename"] != "new.png" || placed["width"] != 20.0 || placed["project"] != float64(s.project) {
		t.Errorf("%s", r.body)
	}
	s.get("/api/imageinstance/%d/thumb.png", int64(placed["id"].(float64))).picture()
	props := s.get("/api/domain/be.cytomine.image.AbstractImage/%d/property.json", int64(abstract["id"].(float64))).list()
	if len(props) != 2 || props[0]["key"] != "stain" || props[0]["value"] != "DAB" {
		t.Errorf("%v", props)
	}
	s.upload("/upload?storage=1", "x.txt", []byte("no image"), nil).want(400)
	if n := s.get("/api/uploadedfile.json").id("size"); n != 1 {
		t.Errorf("%d uploads, a refused one was kept", n)
	}
}

func FuzzWindow(f *testing.F) {
	for _, s := range []string{"window-1-2-3-4", "window--1--2-3-4", "window-1.5-2-3-4", "window-", "window_url-1-2-3-4", "camera-9-9-9-9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, segment string) {
		r, err := windowOf(segment)
		if err == nil && (r.Empty() || r.Min.X < 0 || r.Min.Y < 0 || r.Dx()*r.Dy() > largestWindow) {
			t.Fatalf("%q: %v", segment, r)
		}
	})
}

func FuzzInspectTIFF(f *testing.F) {
	f.Add([]byte("II*\x00\x08\x00\x00\x00\x01\x00\x00\x01\x03\x00\x01\x00\x00\x00\x05\x00\x00\x00"))
	f.Add([]byte("MM\x00*\x00\x00\x00\x08\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := inspectTIFF(bytes.NewReader(data))
		if err == nil && (info.width <= 0 || info.height <= 0) {
			t.Fatalf("%q: %+v", data, info)
		}
	})
}
