// Package gpu shares the GPUs of a box, and the turns to use it, among all the
// people who run cytorun there.
//
// There is no daemon. A folder that all users may write to (runner.LeaseDirs)
// holds one file for each thing that can be had: a ticket is a place in the
// queue, a slot is the right to work, a lease is the right to use one GPU. Who
// holds the lock of a file has the thing, and what is written in the file is
// for people only. The kernel frees a lock when the last process that holds it
// dies, so that nothing is ever left over. A run hands the files to its keeper,
// and a lease lives exactly as long as its container.
//
// Rules:
//   - first come, first served: only the first in the queue takes anything, and
//     it takes all that it needs at once or nothing;
//   - who waits is asleep: on the lock of the one before it or, as the first,
//     on the locks and processes that are in its way;
//   - GPUs are known by their UUID, as an index changes with the hardware;
//   - a GPU that somebody uses without a lease is left alone;
//   - nvidia-smi may fail, lie or hang: it is asked with a time limit, and its
//     words never reach a person without being made safe.
package gpu

import (
	"errors"
	"time"
)

// Device is one NVIDIA GPU as its driver tells of it, or a slice of one.
type Device struct {
	Index int // in the order of nvidia-smi
	// Slice names a slice of a GPU in MIG mode, such as 0:1, and Whole is the
	// UUID of that GPU; both are empty for a whole one.
	Slice, Whole string
	UUID         string // such as GPU-5d3f...
	Name         string // of the product; untrusted
	Driver       string // version
	// Total and Used are bytes of memory, and Load is how busy it was in the
	// last second, in percent; -1 where the driver does not say.
	Total, Used int64
	Load        int
	// Lost is set when the driver lists the GPU and cannot talk to it.
	Lost bool
	// Processes compute on it, whoever started them.
	Processes []Process
}

// Process is a program that computes on a GPU.
type Process struct {
	PID  int
	Used int64 // bytes of this GPU's memory, -1 unknown
	// Name, UID, User and Since are empty, -1, empty and zero for a process
	// that cannot be seen: it has just ended, belongs to another container of
	// this box, or /proc hides it.
	Name  string
	UID   int
	User  string
	Since time.Time
	// start tells a reused PID apart; see runner.Proc.
	start string
}

// Errors that callers tell apart. ErrMissing and ErrRequest do not mend
// themselves, ErrTool may.
var (
	// ErrMissing tells that this box has no GPU that can be used.
	ErrMissing = errors.New("no GPU on this box")
	// ErrTool tells that nvidia-smi failed or gave no answer.
	ErrTool = errors.New("the GPUs cannot be asked")
	// ErrRequest tells that this box can never give what is asked for.
	ErrRequest = errors.New("this box cannot give the GPUs that are asked for")
)
