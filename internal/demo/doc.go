// Package demo is everything that only the demo needs: its images, its
// algorithms with the container they run in, and the server that holds them.
//
// There are two sides. In front of the terminal, Ensure makes sure that the
// demo's server runs, and says how to reach it. In the server's own process,
// which outlives the terminal, Prepare fills the server once and adds the
// registry that the container is pulled from. The two meet in the file
// connection.json in the server's data folder; nothing else is shared.
//
// The programs that run in the container are in package program.
package demo
