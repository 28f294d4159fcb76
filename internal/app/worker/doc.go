// Package worker runs the jobs that wait on an EXACT server: it claims those
// that this box may run and gives each to the same runner as a launch by hand.
//
// Rules:
//   - Nothing is claimed that the allow-list does not name, by the algorithm's
//     package and the digest of its container. An empty list names nothing.
//   - A claim is a write that anybody can overwrite, and every write there
//     replaces a whole row. So it counts only after it was read back twice with
//     a pause before each (report.Claim), and the run reads it again whenever it
//     tells its progress and before it writes results.
//   - A claim's intent is on disk before it is made, with the id that the run
//     will have. What a worker that was killed had claimed and not launched is
//     given back by the next one; what it had launched lives on by itself, and
//     the next one counts it.
//   - The claim of somebody else is touched only with Options.Reclaim: when this
//     process itself saw no change of it for that long. Clocks are not asked, so
//     that neither skew nor daylight saving can make a live worker look dead.
//   - An idle worker makes one request in five seconds.
package worker
