package embedded

import (
	"container/list"
	"image"
	"image/draw"
	"os"
	"sync"
)

// cacheBytes is how much decoded image data is kept.
const cacheBytes = 192 << 20

// imageCache keeps the images decoded last, as apps ask for many crops of one.
type imageCache struct {
	mu    sync.Mutex
	size  int64
	order *list.List // of *cached, the freshest first
	byID  map[int64]*list.Element
}

type cached struct {
	id   int64
	once sync.Once
	img  image.Image
	err  error
	size int64
}

func newImageCache() *imageCache {
	return &imageCache{order: list.New(), byID: map[int64]*list.Element{}}
}

// get returns the decoded image; callers that ask for one at the same time wait
// for one decoding.
func (ic *imageCache) get(id int64, file string) (image.Image, error) {
	ic.mu.Lock()
	e := ic.byID[id]
	if e == nil {
		e = ic.order.PushFront(&cached{id: id})
		ic.byID[id] = e
	}
	ic.order.MoveToFront(e)
	ic.mu.Unlock()
	c := e.Value.(*cached)
	c.once.Do(func() {
		c.img, c.err = decodeImage(file)
		if c.err == nil {
			b := c.img.Bounds()
			c.size = int64(b.Dx()) * int64(b.Dy()) * 4
		}
		ic.account(c)
	})
	return c.img, c.err
}

// account adds a decoded image and drops the stalest ones beyond the limit.
func (ic *imageCache) account(c *cached) {
	ic.mu.Lock()
	defer ic.mu.Unlock()
	ic.size += c.size
	for e := ic.order.Back(); e != nil && ic.size > cacheBytes; {
		old, prev := e.Value.(*cached), e.Prev()
		if old != c && old.size > 0 {
			ic.order.Remove(e)
			delete(ic.byID, old.id)
			ic.size -= old.size
		}
		e = prev
	}
	if c.err != nil {
		if e := ic.byID[c.id]; e != nil && e.Value == c {
			ic.order.Remove(e)
			delete(ic.byID, c.id)
		}
	}
}

// decodeImage reads an image as Gray, Gray16 or NRGBA.
func decodeImage(file string) (image.Image, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, crash("cannot read the stored image: %v", err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		return nil, crash("cannot decode the stored image, it can only be downloaded: %v", err)
	}
	switch img := img.(type) {
	case *image.Gray, *image.Gray16, *image.NRGBA:
		return img, nil
	}
	out := image.NewNRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Src)
	return out, nil
}
