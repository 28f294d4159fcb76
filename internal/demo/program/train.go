package program

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"time"

	"github.com/cytorun/cytorun/internal/demo/raster"
)

// train holds the parameters of the training.
type train struct {
	images    ids
	epochs    number
	rate      number
	hidden    number
	samples   number
	optimizer choice
	balance   boolean
	seed      number
	from      id
	failure   choice
	failAt    number
}

func defineTrain(flags *flag.FlagSet) func(*job) (string, error) {
	t := &train{
		epochs:    number{value: 50, min: 1, max: 10000, integer: true},
		rate:      number{value: 0.05, min: 1e-5, max: 1},
		hidden:    number{value: 8, min: 1, max: 64, integer: true},
		samples:   number{value: 50000, min: 100, max: 200000, integer: true},
		optimizer: choice{"momentum", []string{"momentum", "sgd"}},
		balance:   true,
		seed:      number{value: 42, min: 0, max: math.MaxInt32, integer: true},
		failure:   choice{noFailure, failures},
		failAt:    number{value: 2, min: 1, max: 10000, integer: true},
	}
	flags.Var(&t.images, "images", "`ids` of images to learn from; none means all of the project")
	flags.Var(&t.epochs, "epochs", "`times` to go over all samples")
	flags.Var(&t.rate, "learning_rate", "`size` of a step")
	flags.Var(&t.hidden, "hidden_units", "`width` of the hidden layer")
	flags.Var(&t.samples, "samples", "`pixels` to draw from each image")
	flags.Var(&t.optimizer, "optimizer", "momentum or sgd")
	flags.Var(&t.balance, "balance", "draw as many object as background pixels, true or false")
	flags.Var(&t.seed, "seed", "`seed` of the random numbers")
	flags.Var(&t.from, "initial_job", "`id` of an earlier job whose model to go on from")
	flags.Var(&t.failure, "failure", "how to fail, for trying out failures")
	flags.Var(&t.failAt, "fail_at_epoch", "`epoch` in which to fail")
	return t.work
}

func (t *train) work(j *job) (string, error) {
	rng := rand.New(rand.NewPCG(uint64(t.seed.value), 0))
	m, err := t.model(j, rng)
	if err != nil {
		return "", err
	}
	samples, err := t.collect(j, rng)
	if err != nil {
		return "", err
	}
	rng.Shuffle(len(samples), func(a, b int) { samples[a], samples[b] = samples[b], samples[a] })
	part := len(samples) * 4 / 5
	learning, validation := samples[:part], samples[part:]
	if t.from == 0 {
		m.standardise(learning)
	}
	j.log("%d pixels to learn from, %d to validate with; %d features, %d hidden units, %s", len(learning), len(validation), features, len(m.Hidden), t.optimizer.value)

	momentum := 0.0
	if t.optimizer.value == "momentum" {
		momentum = 0.9
	}
	learner := newLearner(m, t.rate.value, momentum)
	var history bytes.Buffer
	history.WriteString("epoch,loss,validation_loss,validation_accuracy\n")
	var loss, accuracy float64
	reported := time.Now()
	for epoch := 1; epoch <= t.epochs.int(); epoch++ {
		if epoch == t.failAt.int() {
			if err := fail(j, t.failure.value, epoch); err != nil {
				return "", err
			}
		}
		rng.Shuffle(len(learning), func(a, b int) { learning[a], learning[b] = learning[b], learning[a] })
		bar := newBar(j.out, fmt.Sprintf("Epoch %d/%d", epoch, t.epochs.int()), batches(learning))
		trained := learner.epoch(learning, bar.step)
		bar.end()
		loss, accuracy = m.evaluate(validation)
		line := fmt.Sprintf("epoch %d/%d - loss: %.4f - val_loss: %.4f - val_accuracy: %.4f", epoch, t.epochs.int(), trained, loss, accuracy)
		fmt.Fprintf(&history, "%d,%.6f,%.6f,%.6f\n", epoch, trained, loss, accuracy)
		j.log("%s", line)
		if time.Since(reported) > time.Second {
			if err := j.report(statusRunning, 100*epoch/t.epochs.int(), line); err != nil {
				return "", err
			}
			reported = time.Now()
		}
	}
	if err := j.store("history.csv", history.Bytes()); err != nil {
		return "", err
	}
	file, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return "", fmt.Errorf("the model cannot be written, try a smaller learning rate: %w", err)
	}
	if err := j.store(modelFile, file); err != nil {
		return "", err
	}
	return fmt.Sprintf("validation loss %.4f, accuracy %.4f after %d epochs", loss, accuracy, t.epochs.int()), nil
}

// modelFile is the name of the result that holds the model.
const modelFile = "model.json"

// model is a new one, or the one that an earlier job left.
func (t *train) model(j *job, rng *rand.Rand) (*model, error) {
	if t.from == 0 {
		return newModel(t.hidden.int(), rng), nil
	}
	data, err := j.load(int64(t.from), modelFile)
	if err != nil {
		return nil, err
	}
	m, err := readModel(data)
	if err != nil {
		return nil, fmt.Errorf("%s of job %d: %w", modelFile, t.from, err)
	}
	j.log("going on from the model of job %d", t.from)
	return m, nil
}

// collect draws samples from every image.
func (t *train) collect(j *job, rng *rand.Rand) ([]sample, error) {
	pictures, err := j.pictures(t.images)
	if err != nil {
		return nil, err
	}
	var out []sample
	for i, p := range pictures {
		img, err := j.download(p)
		if err != nil {
			return nil, err
		}
		out = append(out, t.draw(img, rng)...)
		j.log("[%d/%d] %s: %d x %d, %d pixels drawn", i+1, len(pictures), p.Name, img.Bounds().Dx(), img.Bounds().Dy(), t.samples.int())
	}
	return out, nil
}

// draw takes pixels at random from an image. Otsu's threshold on the smoothed
// image says which of them belong to objects.
func (t *train) draw(img image.Image, rng *rand.Rand) []sample {
	g := raster.Smooth(raster.Grey(img), 1)
	objects := raster.Above(g, raster.Otsu(raster.Histogram(g)), raster.Mean(g) >= 128).In
	var byClass [2][]int
	for i, in := range objects {
		if in {
			byClass[1] = append(byClass[1], i)
		} else {
			byClass[0] = append(byClass[0], i)
		}
	}
	look := newLook(img)
	out := make([]sample, t.samples.int())
	for n := range out {
		p := rng.IntN(len(objects))
		if from := byClass[n%2]; bool(t.balance) && len(from) > 0 {
			p = from[rng.IntN(len(from))]
		}
		out[n] = sample{x: look.at(p)}
		if objects[p] {
			out[n].y = 1
		}
	}
	return out
}
