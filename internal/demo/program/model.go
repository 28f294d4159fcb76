package program

import (
	"encoding/json"
	"errors"
	"image"
	"math"
	"math/rand/v2"

	"github.com/cytorun/cytorun/internal/demo/raster"
)

// features is how many numbers describe a pixel: its three colours, the grey
// level around it at two scales, and how steeply that changes.
const features = 6

// sample is one pixel and whether it belongs to an object (1) or not (0).
type sample struct {
	x [features]float64
	y float64
}

// look computes the features of pixels of one image.
type look struct {
	rgba       *image.RGBA
	near, wide []float32
}

func newLook(img image.Image) look {
	g := raster.Grey(img)
	return look{rgba: raster.RGBA(img), near: raster.Blur(g, 1), wide: raster.Blur(g, 4)}
}

func (l look) at(p int) [features]float64 {
	w, h := l.rgba.Rect.Dx(), l.rgba.Rect.Dy()
	x, y := p%w, p/w
	dx := l.near[y*w+min(x+1, w-1)] - l.near[y*w+max(x-1, 0)]
	dy := l.near[min(y+1, h-1)*w+x] - l.near[max(y-1, 0)*w+x]
	rgb := l.rgba.Pix[4*p : 4*p+3]
	return [features]float64{
		float64(rgb[0]) / 255, float64(rgb[1]) / 255, float64(rgb[2]) / 255,
		float64(l.near[p]) / 255, float64(l.wide[p]) / 255, math.Hypot(float64(dx), float64(dy)) / 255,
	}
}

// model is a network with one hidden layer (tanh) and one output (logistic):
// how likely a pixel belongs to an object.
type model struct {
	Mean   [features]float64 `json:"mean"` // of the features, which are standardised first
	Scale  [features]float64 `json:"scale"`
	Hidden []unit            `json:"hidden"`
	Bias   float64           `json:"bias"`
}

// unit is one unit of the hidden layer.
type unit struct {
	In   [features]float64 `json:"in"`
	Bias float64           `json:"bias"`
	Out  float64           `json:"out"`
}

func newModel(hidden int, rng *rand.Rand) *model {
	m := &model{Hidden: make([]unit, hidden)}
	for i := range m.Scale {
		m.Scale[i] = 1
	}
	for h := range m.Hidden {
		for i := range m.Hidden[h].In {
			m.Hidden[h].In[i] = rng.NormFloat64() / math.Sqrt(features)
		}
		m.Hidden[h].Out = rng.NormFloat64() / math.Sqrt(float64(hidden))
	}
	return m
}

// readModel reads a model file.
func readModel(data []byte) (*model, error) {
	m := new(model)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, err
	}
	if n := len(m.Hidden); n < 1 || n > 64 {
		return nil, errors.New("not a model of this program")
	}
	for _, s := range m.Scale {
		if s <= 0 {
			return nil, errors.New("not a model of this program")
		}
	}
	return m, nil
}

// standardise takes mean and scale from the samples.
func (m *model) standardise(samples []sample) {
	n := float64(len(samples))
	for i := range features {
		sum, squares := 0.0, 0.0
		for _, s := range samples {
			sum += s.x[i]
			squares += s.x[i] * s.x[i]
		}
		m.Mean[i] = sum / n
		m.Scale[i] = math.Sqrt(math.Max(squares/n-m.Mean[i]*m.Mean[i], 1e-12))
	}
}

// forward fills the activations of the hidden layer and gives the output.
func (m *model) forward(s *sample, x *[features]float64, active []float64) float64 {
	for i := range x {
		x[i] = (s.x[i] - m.Mean[i]) / m.Scale[i]
	}
	z := m.Bias
	for h := range m.Hidden {
		u := &m.Hidden[h]
		a := u.Bias
		for i, v := range x {
			a += u.In[i] * v
		}
		active[h] = math.Tanh(a)
		z += u.Out * active[h]
	}
	return 1 / (1 + math.Exp(-z))
}

// evaluate gives the mean loss (cross entropy) and the share of right answers.
func (m *model) evaluate(samples []sample) (loss, accuracy float64) {
	var x [features]float64
	active := make([]float64, len(m.Hidden))
	right := 0
	for i := range samples {
		p := m.forward(&samples[i], &x, active)
		loss += crossEntropy(p, samples[i].y)
		if (p >= 0.5) == (samples[i].y == 1) {
			right++
		}
	}
	n := float64(max(len(samples), 1))
	return loss / n, float64(right) / n
}

func crossEntropy(p, y float64) float64 {
	if y == 0 {
		p = 1 - p
	}
	return -math.Log(math.Max(p, 1e-12))
}

// batchSize is how many samples make one step.
const batchSize = 32

func batches(samples []sample) int { return (len(samples) + batchSize - 1) / batchSize }

// learner changes a model step by step, down the gradient of its loss.
type learner struct {
	*model
	rate, momentum float64
	gradient, pace model // pace is the running step of each weight
}

func newLearner(m *model, rate, momentum float64) *learner {
	l := &learner{model: m, rate: rate, momentum: momentum}
	l.gradient.Hidden = make([]unit, len(m.Hidden))
	l.pace.Hidden = make([]unit, len(m.Hidden))
	return l
}

// epoch goes once over the samples and gives the mean loss; step is called
// after each batch.
func (l *learner) epoch(samples []sample, step func()) float64 {
	var x [features]float64
	active := make([]float64, len(l.Hidden))
	loss := 0.0
	for start := 0; start < len(samples); start += batchSize {
		batch := samples[start:min(start+batchSize, len(samples))]
		for i := range batch {
			p := l.forward(&batch[i], &x, active)
			loss += crossEntropy(p, batch[i].y)
			l.add((p-batch[i].y)/float64(len(batch)), &x, active)
		}
		l.descend()
		step()
	}
	return loss / float64(max(len(samples), 1))
}

// add adds the gradient of one sample; d is that of the output's input.
func (l *learner) add(d float64, x *[features]float64, active []float64) {
	l.gradient.Bias += d
	for h := range l.Hidden {
		g := &l.gradient.Hidden[h]
		g.Out += d * active[h]
		back := d * l.Hidden[h].Out * (1 - active[h]*active[h])
		g.Bias += back
		for i, v := range x {
			g.In[i] += back * v
		}
	}
}

// descend makes one step and forgets the gradient.
func (l *learner) descend() {
	move := func(weight, pace, gradient *float64) {
		*pace = l.momentum**pace - l.rate**gradient
		*weight += *pace
		*gradient = 0
	}
	move(&l.Bias, &l.pace.Bias, &l.gradient.Bias)
	for h := range l.Hidden {
		w, v, g := &l.Hidden[h], &l.pace.Hidden[h], &l.gradient.Hidden[h]
		move(&w.Out, &v.Out, &g.Out)
		move(&w.Bias, &v.Bias, &g.Bias)
		for i := range w.In {
			move(&w.In[i], &v.In[i], &g.In[i])
		}
	}
}
