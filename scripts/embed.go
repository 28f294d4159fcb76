// Package scripts carries the scripts that the program itself needs, so that someone who
// has only the one binary can still set a machine up with it.
package scripts

import _ "embed"

// InstallApptainer is the bash script install-apptainer: it makes sure that this machine
// can run Apptainer containers, as root for everybody or else below the user's home, and
// prints "apptainer VERSION PATH". Run it as `bash -s -- [--check] [--prefix DIR] [--bin DIR]`
// with the script on standard input; its exit status is 0 only if a container really ran.
//
//go:embed install-apptainer
var InstallApptainer string
