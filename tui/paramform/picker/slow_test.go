package picker

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/servers"
	"github.com/cytorun/cytorun/internal/bench"
)

// slowServer lists images at about 1 MB/s until the reader goes away, and tells
// when its first byte left.
func slowServer(b *testing.B) (s client.Server, first <-chan time.Time) {
	b.Helper()
	left := make(chan time.Time, 1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"collection":[`)
		left <- time.Now()
		for i := 0; i < 100_000 && r.Context().Err() == nil; i++ {
			if i > 0 {
				fmt.Fprint(w, ",")
			}
			fmt.Fprintf(w, `{"id":%d,"class":"be.cytomine.image.ImageInstance","instanceFilename":"Patient_%05d_HE.svs","path":"%0900d"}`, 1000+i, i, i)
			if i%10 == 9 { // ten rows of a kilobyte
				w.(http.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		}
		fmt.Fprint(w, `],"size":100000}`)
	}))
	b.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
	})
	s, err := servers.Open(profile.Profile{Name: "slow", Kind: client.Cytomine, URL: web.URL}, client.Keys{Public: "a", Private: "b"}, servers.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return s, left
}

func BenchmarkSlowServer(b *testing.B) {
	keys := []string{"/", "h", "e", "space", "0", "1", "backspace", "backspace"}
	times := make([][]time.Duration, len(keys))
	var firstRows []time.Duration
	for b.Loop() {
		server, first := slowServer(b)
		source := NewSource(images, Feed{Load: func(ctx context.Context, page func([]client.Option) error) error {
			return server.Options(ctx, client.OptionQuery{URI: images.URI, Project: client.Project{ID: 1}}, page)
		}})
		next := source.Start()
		p := New(Options{Title: "images", Many: true, List: NewList(images, nil, false, nil)})
		p.SetSize(120, 35)
		rows := time.Duration(0)
		for i := range keys {
			l := next().(Arrived).List
			if rows == 0 && l.Len() > 0 {
				rows = time.Since(<-first)
			}
			p.SetList(l)
			press(p, keys[i:i+1], times[i:i+1])
			next = source.Next()
		}
		source.Stop()
		firstRows = append(firstRows, rows)
	}
	bench.Report(b, "picker/first-rows-1MB/s", median(firstRows), "ms", 100, true)
	bench.Report(b, "picker/key-while-loading", slowest(times), "ms", 16, true)
}
