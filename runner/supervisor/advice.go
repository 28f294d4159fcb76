package supervisor

import (
	"regexp"
	"syscall"
)

// advices are the rules of what to try next, by what a failed program or its
// container said: a pattern, in which case does not matter, and the advice. The
// first that fits counts.
var advices = [][2]string{
	{`cuda(.|\n)*out of memory|cuda_error_out_of_memory|cublas_status_alloc_failed`,
		"the GPU's memory was not enough: use smaller tiles or batches, or wait until nobody else uses the GPU ('cytorun machine')"},
	{`no cuda-capable device|cuda driver version is insufficient|no nvidia driver|could not select device driver`,
		"the program wants a GPU that it did not get: launch it with --gpus 1, and check the driver with 'cytorun doctor'"},
	{`at its memory limit`, "give it more with --memory, or use smaller tiles or fewer processes"},
	{`want of memory|memoryerror|cannot allocate memory|std::bad_alloc|java\.lang\.outofmemoryerror|oom-kill`,
		"the memory was not enough: use smaller tiles, fewer processes, or a box with more"},
	{`disk quota exceeded`, "your quota is used up: 'cytorun prune' frees space, [paths] work moves the work folders"},
	{`no space left on device|errno 28`, "a disk is full: 'cytorun prune' frees space, [paths] work moves the work folders"},
	{`manifest unknown|manifest_unknown|repository does not exist|name unknown|pull access denied`,
		"the container's name or tag does not exist: check it with 'cytorun algorithms show', or name another with --container"},
	{`certificate_verify_failed|certificate verify failed|x509: certificate|unable to get local issuer|self[- ]signed certificate`,
		"the program does not trust the server's certificate: give the profile its CA with 'cytorun login --ca FILE'"},
	{`401 client error|http 401|401 unauthorized|keys not accepted|invalid (public|private) key`,
		"the server did not accept the job's keys: check that the job's user may use the project"},
	{`403 client error|http 403|403 forbidden`, "the server forbade it: ask a manager of the project whether it is read-only or restricted"},
	{`connection refused|name or service not known|temporary failure in name resolution|failed to establish a new connection|network is unreachable`,
		"the program could not reach a host: check the network and the server's address as seen from this box"},
	{`the following arguments are required|missing required (argument|parameter)|unrecognized arguments|error: argument `,
		"the program did not get the parameters it wants: compare its message with 'cytorun run … --dry-run'"},
	{`modulenotfounderror|no module named|importerror|error while loading shared libraries`,
		"the container lacks something its program needs: tell its author, or try another version"},
	{`permission denied|read-only file system`, "the program wrote where it may not: only its HOME, /tmp and working folder are writable"},
	{`ended by a signal: (killed|terminated)`,
		"somebody or something ended it: often the kernel for want of memory ('dmesg | tail' tells), a limit of the box, or a person; if memory, use smaller tiles or a box with more"},
	{`time limit`, "give it more time with --time-limit"},
}

// advise gives one next step for what a failed run said, or nothing.
func advise(text string) string {
	for _, a := range advices {
		// Compiled here, because each start of cytorun would pay for it.
		if regexp.MustCompile(`(?i)` + a[0]).MatchString(text) {
			return a[1]
		}
	}
	return ""
}

// signalName is the kernel's word for a signal.
func signalName(n int) string { return syscall.Signal(n).String() }
