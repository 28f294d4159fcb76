package app

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/compare"
)

// MetricSum is one measure of an analysis over its images.
type MetricSum struct {
	Name, Title    string
	Mean, Min, Max float64
	Images         int // that it was measured on
	Better         compare.Better
	ByImage        map[client.ID]float64
}

// Metrics are the measures that the server keeps of an analysis, in their order;
// client.ErrUnsupported tells that it keeps none of any.
func (s *Session) Metrics(ctx context.Context, a Analysis) ([]MetricSum, error) {
	s, err := s.home(a)
	if err != nil {
		return nil, err
	}
	store, ok := s.Server.(client.MetricStore)
	if !ok || a.JobID() == 0 {
		return nil, client.Unsupported(s.Server, client.KeepsMetrics)
	}
	all, err := store.Metrics(ctx, a.JobID())
	if err != nil {
		return nil, err
	}
	return sumMetrics(all), nil
}

func sumMetrics(all []client.Metric) []MetricSum {
	var sums []MetricSum
	for _, m := range all {
		if math.IsNaN(m.Value) || math.IsInf(m.Value, 0) {
			continue // measured on an image without anything to measure
		}
		at := slices.IndexFunc(sums, func(s MetricSum) bool { return s.Name == m.Name })
		if at < 0 {
			at = len(sums)
			sums = append(sums, MetricSum{Name: m.Name, Title: m.Title, Min: m.Value, Max: m.Value, Better: metricBetter(m.Name + " " + m.Title), ByImage: map[client.ID]float64{}})
		}
		s := &sums[at]
		s.Images++
		s.Mean += (m.Value - s.Mean) / float64(s.Images)
		s.Min, s.Max = min(s.Min, m.Value), max(s.Max, m.Value)
		s.ByImage[m.Image] = m.Value
	}
	return sums
}

// Words by which the direction of a measure is known.
var (
	higherWords = []string{"dice", "jaccard", "iou", "f1", "f-score", "precision", "recall", "accuracy", "sensitivity", "specificity", "auc", "dc", "overlap", "correct"}
	lowerWords  = []string{"hausdorff", "ahd", "error", "loss", "rmse", "mse", "distance", "false", "fpr", "fnr", "deviation"}
)

// metricBetter guesses from its name in which direction a measure is good.
func metricBetter(name string) compare.Better {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	for _, w := range words {
		if slices.Contains(lowerWords, w) {
			return compare.Lower
		}
	}
	for _, w := range words {
		if slices.Contains(higherWords, w) {
			return compare.Higher
		}
	}
	return compare.Neither
}
