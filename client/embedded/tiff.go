package embedded

import (
	"encoding/binary"
	"image"
	"io"
)

// encodeTIFF writes an uncompressed TIFF with one strip: 8 or 16 bit grey, RGB,
// or RGB with alpha.
func encodeTIFF(w io.Writer, img image.Image) error {
	b := img.Bounds()
	channels, bits := 3, 8
	var data []byte
	if cut, ok := img.(cutout); ok {
		channels, img = 4, cut.NRGBA
	}
	switch img := img.(type) {
	case *image.Gray:
		channels = 1
		for y := range b.Dy() {
			data = append(data, img.Pix[y*img.Stride:y*img.Stride+b.Dx()]...)
		}
	case *image.Gray16:
		channels, bits = 1, 16
		for y := range b.Dy() {
			for x := range b.Dx() {
				data = binary.LittleEndian.AppendUint16(data, img.Gray16At(b.Min.X+x, b.Min.Y+y).Y)
			}
		}
	case *image.NRGBA:
		if !img.Opaque() {
			channels = 4
		}
		data = make([]byte, 0, b.Dx()*b.Dy()*channels)
		for y := range b.Dy() {
			for x := range b.Dx() {
				o := y*img.Stride + 4*x
				data = append(data, img.Pix[o:o+channels]...)
			}
		}
	default:
		for y := range b.Dy() {
			for x := range b.Dx() {
				r, g, bl, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
				data = append(data, byte(r>>8), byte(g>>8), byte(bl>>8))
			}
		}
	}
	type entry struct {
		tag, kind uint16
		values    []uint32
	}
	const short, long = 3, 4
	photometric := uint32(1) // black is zero
	depth := []uint32{uint32(bits)}
	if channels > 1 {
		photometric = 2 // RGB
		depth = []uint32{8, 8, 8, 8}[:channels]
	}
	entries := []entry{
		{256, long, []uint32{uint32(b.Dx())}},
		{257, long, []uint32{uint32(b.Dy())}},
		{258, short, depth},
		{259, short, []uint32{1}}, // no compression
		{262, short, []uint32{photometric}},
		{273, long, []uint32{0}}, // where the strip begins, below
		{277, short, []uint32{uint32(channels)}},
		{278, long, []uint32{uint32(b.Dy())}},
		{279, long, []uint32{uint32(len(data))}},
	}
	if channels == 4 {
		entries = append(entries, entry{338, short, []uint32{2}}) // alpha not multiplied in
	}
	// The head, the directory, the bit depths that do not fit into it, the pixels.
	extra := 8 + 2 + 12*len(entries) + 4
	start := extra
	if len(depth) > 2 {
		start += 2 * len(depth)
	}
	entries[5].values[0] = uint32(start)
	le := binary.LittleEndian
	out := le.AppendUint32([]byte("II*\x00"), 8)
	out = le.AppendUint16(out, uint16(len(entries)))
	for _, e := range entries {
		out = le.AppendUint16(out, e.tag)
		out = le.AppendUint16(out, e.kind)
		out = le.AppendUint32(out, uint32(len(e.values)))
		switch {
		case len(e.values) > 2:
			out = le.AppendUint32(out, uint32(extra))
		case e.kind == short:
			out = le.AppendUint16(out, uint16(e.values[0]))
			out = le.AppendUint16(out, 0)
		default:
			out = le.AppendUint32(out, e.values[0])
		}
	}
	out = le.AppendUint32(out, 0) // no further directory
	if len(depth) > 2 {
		for _, d := range depth {
			out = le.AppendUint16(out, uint16(d))
		}
	}
	if _, err := w.Write(out); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}
