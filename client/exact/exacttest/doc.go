// Package exacttest is an EXACT server for tests and benchmarks: real HTTP over
// a state in memory.
//
// It answers only with status, headers and body shapes that a real server was
// recorded with. Every answer names the recording that it copies, and the
// package's own test replays those recordings and compares. What was never
// recorded is not here: the web views behind a session cookie exist only as
// the helpers StopJob and RestartJob, which do to the state what they do.
//
// Three things of the real server that a client must survive are under the
// test's control: a PATCH reads a row, waits Options.Race, and writes the whole
// row back, so that another's change in between is lost; times are naive and
// local to Options.Zone; and Server.Fault may lose, delay, cut or refuse any
// answer.
package exacttest
