package program

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
)

func points(n int) []sample {
	rng := rand.New(rand.NewPCG(5, 5))
	out := make([]sample, n)
	for i := range out {
		for f := range out[i].x {
			out[i].x[f] = 3 + 2*rng.NormFloat64()
		}
		// A boundary that no straight line follows.
		if a, b := out[i].x[0]-3, out[i].x[1]-3; a*a+b*b < 4 {
			out[i].y = 1
		}
	}
	return out
}

func TestTrainingLearnsARoundBoundary(t *testing.T) {
	all := points(3000)
	m := newModel(12, rand.New(rand.NewPCG(1, 0)))
	m.standardise(all[:2400])
	before, _ := m.evaluate(all[2400:])
	l := newLearner(m, 0.05, 0.9)
	for range 30 {
		l.epoch(all[:2400], func() {})
	}
	loss, accuracy := m.evaluate(all[2400:])
	if loss > before/2 || accuracy < 0.93 {
		t.Errorf("loss %g (before %g), accuracy %g", loss, before, accuracy)
	}

	file, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := readModel(file)
	if err != nil {
		t.Fatal(err)
	}
	if l2, _ := again.evaluate(all[2400:]); l2 != loss {
		t.Errorf("the model read from its file has loss %g, not %g", l2, loss)
	}
}

func TestGradientIsTheSlopeOfTheLoss(t *testing.T) {
	m := newModel(3, rand.New(rand.NewPCG(2, 0)))
	s := points(1)
	l := newLearner(m, 0, 0)
	var x [features]float64
	active := make([]float64, 3)
	l.add(l.forward(&s[0], &x, active)-s[0].y, &x, active)
	loss := func() float64 { v, _ := m.evaluate(s); return v }
	for name, w := range map[string][2]*float64{
		"bias":        {&m.Bias, &l.gradient.Bias},
		"hidden bias": {&m.Hidden[1].Bias, &l.gradient.Hidden[1].Bias},
		"hidden in":   {&m.Hidden[2].In[4], &l.gradient.Hidden[2].In[4]},
		"hidden out":  {&m.Hidden[0].Out, &l.gradient.Hidden[0].Out},
	} {
		const h = 1e-5
		old := *w[0]
		*w[0] = old + h
		up := loss()
		*w[0] = old - h
		down := loss()
		*w[0] = old
		if slope := (up - down) / (2 * h); math.Abs(slope-*w[1]) > 1e-6 {
			t.Errorf("%s: gradient %g, slope %g", name, *w[1], slope)
		}
	}
}

func FuzzReadModel(f *testing.F) {
	f.Add([]byte(`{"scale":[1,1,1,1,1,1],"hidden":[{"in":[1,2,3,4,5,6]}]}`))
	f.Add([]byte(`{"hidden":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := readModel(data); err == nil {
			m.evaluate(points(2))
		}
	})
}
