package main

import (
	"bytes"
	"io"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/vt"
)

// screen plays raw into a terminal of that size and returns its cells, row by row.
func screen(raw []byte, columns, rows int) [][]uv.Cell {
	term := vt.NewEmulator(columns, rows)
	// The terminal answers questions that the program asked; nobody listens any more.
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = io.Copy(io.Discard, term)
	}()
	_, _ = term.Write(lines(raw))
	cells := make([][]uv.Cell, rows)
	for y := range cells {
		cells[y] = make([]uv.Cell, columns)
		for x := range cells[y] {
			if c := term.CellAt(x, y); c != nil {
				cells[y][x] = *c
			}
		}
	}
	_ = term.Close()
	<-answered
	return cells
}

// lines makes the bare newlines of a captured screen what a terminal expects, and drops
// the last one, which would scroll a full screen.
func lines(raw []byte) []byte {
	if bytes.Contains(raw, []byte("\r\n")) {
		return raw
	}
	return bytes.ReplaceAll(bytes.TrimSuffix(raw, []byte("\n")), []byte("\n"), []byte("\r\n"))
}
