package exact

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/servertest"
)

// TestConformanceOfARealServer runs the suite against an EXACT server that the
// environment names: EXACT_TEST_URL, and tokens of an administrator in team 1, with
// product 1 and plugin 1, in EXACT_TEST_ADMIN, and of somebody without a team in
// EXACT_TEST_STRANGER. It makes image sets of its own and deletes them.
func TestConformanceOfARealServer(t *testing.T) {
	site, admin, stranger := os.Getenv("EXACT_TEST_URL"), os.Getenv("EXACT_TEST_ADMIN"), os.Getenv("EXACT_TEST_STRANGER")
	if site == "" || admin == "" || stranger == "" {
		t.Skip("EXACT_TEST_URL, EXACT_TEST_ADMIN and EXACT_TEST_STRANGER name no server")
	}
	as := func(t *testing.T, user, token string) *Client {
		t.Helper()
		c, err := New(profile.Profile{URL: site, User: user}, profile.TokenKeys(token), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	servertest.Run(t, func(t *testing.T) servertest.Fixture {
		root := as(t, "admin", admin)
		root.pageSize = 7
		first, second := realSet(t, root, []int{1}), realSet(t, root, []int{})
		f := servertest.Fixture{
			Server: root, Second: as(t, "admin", admin), Stranger: as(t, "outsider", stranger), Nobody: as(t, "admin", "pat_no.thing"),
			Username: "admin", Project: first, OtherProject: second, Algorithm: 1, Hidden: client.ErrNotFound,
			Changes:     []string{"processing_complete", "attached_worker", "updated_time"},
			Lacks:       slices.Clone(client.Abilities),
			Options:     client.OptionQuery{URI: "/api/v1/images/images/?image_set=$currentProject$", Project: client.Project{ID: first}},
			OptionField: "name",
			JobImage:    func(t *testing.T, project client.ID) client.ID { return realImage(t, root, project) },
		}
		for range 9 {
			i, err := root.Image(t.Context(), realImage(t, root, first))
			if err != nil {
				t.Fatal(err)
			}
			f.OptionNames = append(f.OptionNames, i.Name)
		}
		f.Mark = func(t *testing.T, id client.ID) string {
			eta := time.Now().Add(time.Hour)
			if _, err := f.Second.(*Client).PatchPluginJob(t.Context(), id, JobPatch{ETA: &eta}); err != nil {
				t.Fatal(err)
			}
			return "eta_time"
		}
		f.Annotate = func(t *testing.T, job client.Job, count int) string {
			draw(t, root, job, 1, count)
			return "Cell"
		}
		return f
	})
}

var realNames atomic.Int64

func realSet(t *testing.T, c *Client, products []int) client.ID {
	t.Helper()
	var w struct{ ID client.ID }
	name := fmt.Sprintf("cytorun %d %d", time.Now().UnixNano(), realNames.Add(1))
	if _, err := c.write(t.Context(), http.MethodPost, imageSetsPath, map[string]any{"name": name, "team": 1, "images": []int{}, "product_set": products, "set_tags": []int{}}, &w); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		err := c.EachImage(ctx, w.ID, func(i Image) error { return c.remove(ctx, one(imagesPath, i.ID)) })
		if err != nil {
			t.Error(err)
		}
		if err := c.remove(ctx, one(imageSetsPath, w.ID)); err != nil {
			t.Error(err)
		}
	})
	return w.ID
}

// realImage uploads a picture that the server has not seen.
func realImage(t *testing.T, c *Client, set client.ID) client.ID {
	t.Helper()
	n := realNames.Add(1)
	picture := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range 64 {
		picture.Set(i%64, int(n>>(i/8))%48, color.RGBA{uint8(n), uint8(n >> 8), uint8(i), 255})
	}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	_ = w.WriteField("image_set", idText(set))
	part, err := w.CreateFormFile("file", fmt.Sprintf("p_%d_%d.png", time.Now().UnixNano(), n))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(part, picture); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	response, err := c.do(t.Context(), call{method: http.MethodPost, path: imagesPath, body: form.Bytes(), contentType: w.FormDataContentType()})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Results []struct{ ID client.ID }
	}
	if err := json.Unmarshal(response.Body(), &answer); err != nil || len(answer.Results) != 1 {
		t.Fatalf("%s, %v", response.Body(), err)
	}
	return answer.Results[0].ID
}
