package exact

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cytorun/cytorun/client"
)

type wirePlugin struct {
	ID       client.ID
	Name     text
	Author   text
	Contact  text
	Package  text
	AboutURL text `json:"abouturl"`
	Products []client.ID
}

func (w wirePlugin) plugin() Plugin {
	return Plugin{ID: w.ID, Name: string(w.Name), Author: string(w.Author), Contact: string(w.Contact),
		Package: string(w.Package), AboutURL: string(w.AboutURL), Products: w.Products}
}

// Plugins lists every plugin of the server.
func (c *Client) Plugins(ctx context.Context) ([]Plugin, error) {
	plugins := []Plugin{}
	err := c.each(ctx, with(pluginsPath, "omit", "results,icon"), func(raw []byte) error {
		var w wirePlugin
		if json.Unmarshal(raw, &w) == nil {
			plugins = append(plugins, w.plugin())
		}
		return nil
	})
	return plugins, err
}

// Plugin reads one plugin.
func (c *Client) Plugin(ctx context.Context, id client.ID) (Plugin, error) {
	var w wirePlugin
	err := c.get(ctx, with(one(pluginsPath, id), "omit", "results,icon"), &w)
	return w.plugin(), err
}

type wireImageSet struct {
	ID            client.ID
	Name          text
	Description   text
	Products      []client.ID `json:"product_set"`
	Team, Creator reference
}

func (w wireImageSet) imageSet() ImageSet {
	return ImageSet{ID: w.ID, Name: string(w.Name), Description: string(w.Description), Products: w.Products,
		Team: client.ID(w.Team), Creator: client.ID(w.Creator)}
}

// ImageSets lists the image sets of the user's teams.
func (c *Client) ImageSets(ctx context.Context) ([]ImageSet, error) {
	sets := []ImageSet{}
	err := c.each(ctx, with(imageSetsPath, "omit", "images"), func(raw []byte) error {
		var w wireImageSet
		if json.Unmarshal(raw, &w) == nil {
			sets = append(sets, w.imageSet())
		}
		return nil
	})
	return sets, err
}

// ImageSet reads one image set. The server says of sets of other teams that they
// do not exist.
func (c *Client) ImageSet(ctx context.Context, id client.ID) (ImageSet, error) {
	var w wireImageSet
	err := c.get(ctx, with(one(imageSetsPath, id), "omit", "images"), &w)
	return w.imageSet(), err
}

// Products lists the products of the user's teams.
func (c *Client) Products(ctx context.Context) ([]Product, error) {
	products := []Product{}
	err := c.each(ctx, with(productsPath, "omit", "annotationtype_set"), func(raw []byte) error {
		var w struct {
			ID        client.ID
			Name      text
			Team      reference
			ImageSets []client.ID `json:"imagesets"`
		}
		if json.Unmarshal(raw, &w) == nil {
			products = append(products, Product{ID: w.ID, Name: string(w.Name), Team: client.ID(w.Team), ImageSets: w.ImageSets})
		}
		return nil
	})
	return products, err
}

// AnnotationTypes lists the active annotation types of an image set's products.
func (c *Client) AnnotationTypes(ctx context.Context, imageSet client.ID) ([]AnnotationType, error) {
	var w struct {
		Types []AnnotationType `json:"annotation_types"`
	}
	err := c.get(ctx, with(typesOfSetPath, "imageset_id", idText(imageSet)), &w)
	return w.Types, err
}

// imageFields are the columns of an image that do not grow.
const imageFields = "id,name,filename,width,height,frames,mpp,image_type,image_set"

// EachImage calls each for every image of an image set, also the ones that the
// server generated.
func (c *Client) EachImage(ctx context.Context, imageSet client.ID, each func(Image) error) error {
	return c.each(ctx, with(imagesPath, "image_set", idText(imageSet), "fields", imageFields), func(raw []byte) error {
		var i Image
		if json.Unmarshal(raw, &i) != nil || i.ImageSet != imageSet {
			return nil
		}
		return each(i)
	})
}

// Image reads one image. The server says of images of other teams that they do not
// exist.
func (c *Client) Image(ctx context.Context, id client.ID) (Image, error) {
	var i Image
	err := c.get(ctx, with(one(imagesPath, id), "fields", imageFields), &i)
	return i, err
}

// offered tells whether a plugin is offered in an image set.
func offered(p Plugin, s ImageSet) bool {
	return slices.ContainsFunc(p.Products, func(id client.ID) bool { return slices.Contains(s.Products, id) })
}

func (c *Client) readUserNames(ctx context.Context) (map[client.ID]string, error) {
	names := map[client.ID]string{}
	err := c.each(ctx, with(usersPath, "fields", "id,username"), func(raw []byte) error {
		var w struct {
			ID       client.ID
			Username text
		}
		if json.Unmarshal(raw, &w) == nil {
			names[w.ID] = string(w.Username)
		}
		return nil
	})
	return names, err
}

// userName is the name of a user, or what can be said of one that is not seen.
func userName(names map[client.ID]string, id client.ID) string {
	if name, ok := names[id]; ok || id == 0 {
		return name
	}
	return fmt.Sprintf("user %d", id)
}
