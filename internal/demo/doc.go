// Package demo is everything that only the demo needs: its images, its
// algorithms with the container they run in, and the server that it starts.
package demo
