// Package logfile reads the log of a run at any size in constant memory.
//
// A log is whatever a program wrote to its stdout and stderr: lines of any
// length, progress bars made with carriage returns, colours, invalid UTF-8, or
// a gigabyte of NULs. Nothing here reads a whole file, maps it, or keeps a list
// of all its lines. A place in a log is the byte offset of a line's start: it
// is known at once wherever one is, while line numbers are known when the
// index, which is built in the background, has come so far.
//
// This package is the one owner of what a log says: its errors (Errors,
// FirstError), its progress (Meter), its last line and when each part was
// written. Lists, comparisons, reports and the viewer all ask here.
//
// Text that it returns for showing went through internal/text.
package logfile

// block is how much is read at once, and where the index has its entries. It
// is also the bound of a line: where a whole block, counted from the start of
// the file, holds no line break, a line ends at its end. So the start of a line
// is found by looking back less than two blocks, and a file without any line
// break is as quick to open as any other. It is a variable so that tests can put
// many borders into a small file.
var block int64 = 1 << 20
