package supervisor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/descriptor"
	"github.com/cytorun/cytorun/runner"
)

func TestVerdict(t *testing.T) {
	start := time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)
	exit := func(code int, signal string) runner.Exit {
		return runner.Exit{Code: code, Signal: signal, Started: start, Ended: start.Add(time.Hour), OOMKills: runner.OOMCount{Group: -1}}
	}
	oom := func(e runner.Exit, group, box int) runner.Exit {
		e.OOMKills = runner.OOMCount{Group: group, Box: box, Own: group > 0}
		return e
	}
	shared := exit(0, "")
	shared.OOMKills = runner.OOMCount{Group: 1, Box: 1}
	job := func(s client.Status, comment string) *client.Job { return &client.Job{Status: s, Comment: comment} }
	limited := runner.Run{Spec: runner.Spec{Runtime: runner.Apptainer, Resources: runner.Resources{TimeLimit: time.Hour}}}
	endless := runner.Run{Spec: runner.Spec{Runtime: runner.Apptainer, Resources: runner.Resources{TimeLimit: 2 * time.Hour}}}
	inside := runner.Run{Spec: runner.Spec{Runtime: runner.Apptainer}}
	strict := runner.Run{Spec: runner.Spec{Runtime: runner.Apptainer, Strict: true}}
	asked := func(after time.Duration) *runner.CancelRequest {
		return &runner.CancelRequest{By: "ann", Time: start.Add(after)}
	}
	some := left{annotations: 5, files: 0, images: map[client.ID]int{1: 5}}

	tests := map[string]struct {
		e       evidence
		state   runner.State
		reason  string
		warning string
		advice  string
	}{
		"all well":                 {evidence{run: inside, exit: exit(0, ""), job: job(3, "x"), left: some}, runner.Succeeded, "", "", ""},
		"no result":                {evidence{run: inside, exit: exit(0, ""), job: job(3, "x"), left: left{}}, runner.Succeeded, "", "no result written", ""},
		"no result, strictly":      {evidence{run: strict, exit: exit(0, ""), job: job(3, "x"), left: left{}}, runner.Failed, "strict: no result written", "no result written", ""},
		"results unknown":          {evidence{run: strict, exit: exit(0, ""), job: job(3, "x"), left: unknown}, runner.Succeeded, "", "", ""},
		"own failure":              {evidence{run: inside, exit: exit(0, ""), job: job(4, "no cells"), left: some}, runner.Failed, "the program reported failure: no cells", "", ""},
		"own failure, no words":    {evidence{run: inside, exit: exit(0, ""), job: job(4, ""), firstError: "E: x", left: some}, runner.Failed, "the program reported failure: E: x", "", ""},
		"code over own success":    {evidence{run: inside, exit: exit(7, ""), job: job(3, ""), firstError: "ValueError: x", left: some}, runner.Failed, "exit 7: ValueError: x", "", ""},
		"last line where no error": {evidence{run: inside, exit: exit(7, ""), lastLine: "bye"}, runner.Failed, "exit 7: bye", "", ""},
		"nothing said":             {evidence{run: inside, exit: exit(7, "")}, runner.Failed, "exit 7", "", ""},
		"apptainer's own 255":      {evidence{run: inside, exit: exit(255, ""), tail: "FATAL:   could not open image x.sif: no such file\n"}, runner.Failed, "the container did not start", "", ""},
		"program's 255":            {evidence{run: inside, exit: exit(255, ""), tail: "ValueError: x\n", firstError: "ValueError: x"}, runner.Failed, "exit 255: ValueError: x", "", ""},
		"137":                      {evidence{run: inside, exit: exit(137, ""), lastLine: "tile 7"}, runner.Failed, "ended by a signal: killed (exit 137)", "", "somebody or something"},
		"137 for memory, surely":   {evidence{run: inside, exit: oom(exit(137, ""), 1, 1)}, runner.Failed, "killed by the kernel for want of memory", "", "memory"},
		"137 for memory, likely":   {evidence{run: inside, exit: oom(exit(137, ""), -1, 1)}, runner.Failed, "most likely by the kernel for want of memory", "", "memory"},
		"137 at its limit":         {evidence{run: inside, exit: oom(exit(137, ""), -1, 1), memoryLimit: 2e9}, runner.Failed, "killed at its memory limit of 1.9 GiB", "", "--memory"},
		"signal":                   {evidence{run: inside, exit: exit(-1, "segmentation fault")}, runner.Failed, "ended by a signal: segmentation fault", "", ""},
		"exit 0 after memory kill": {evidence{run: inside, exit: oom(exit(0, ""), 1, 1), job: job(3, ""), left: some}, runner.Failed, "although it ended with exit 0", "", "memory"},
		"exit 0, shared group":     {evidence{run: inside, exit: shared, job: job(3, ""), left: some}, runner.Succeeded, "", "want of memory", ""},
		"exit 0, somebody killed":  {evidence{run: inside, exit: oom(exit(0, ""), -1, 1), job: job(3, ""), left: some}, runner.Succeeded, "", "want of memory", ""},
		"cancelled":                {evidence{run: inside, exit: exit(143, ""), cancel: asked(time.Minute)}, runner.Cancelled, "cancelled by ann after 1h", "", ""},
		"cancelled, clean exit":    {evidence{run: inside, exit: exit(0, ""), cancel: asked(time.Minute), job: job(3, "")}, runner.Cancelled, "cancelled by ann", "", ""},
		"ended before the cancel":  {evidence{run: inside, exit: exit(0, ""), cancel: asked(2 * time.Hour), job: job(3, ""), left: some}, runner.Succeeded, "", "", ""},
		"cancelled, clock back":    {evidence{run: inside, exit: exit(143, ""), cancel: asked(2 * time.Hour), stopped: true}, runner.Cancelled, "cancelled by ann", "", ""},
		"time limit, clock back":   {evidence{run: endless, exit: exit(143, ""), timeUp: true}, runner.Failed, "stopped at its time limit of 2h", "", "--time-limit"},
		"time limit":               {evidence{run: limited, exit: exit(143, "")}, runner.Failed, "stopped at its time limit of 1h", "", "--time-limit"},
		"cuda":                     {evidence{run: inside, exit: exit(1, ""), tail: "x\nRuntimeError: CUDA out of memory. Tried\n", firstError: "RuntimeError: CUDA out of memory."}, runner.Failed, "exit 1: RuntimeError: CUDA out of memory.", "", "GPU"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := judge(tt.e)
			if r.State != tt.state || !strings.Contains(r.Reason, tt.reason) || tt.reason == "" && r.Reason != "" {
				t.Errorf("%s: %q", r.State, r.Reason)
			}
			if warned := strings.Join(r.Warnings, "; "); !strings.Contains(warned, tt.warning) || tt.warning == "" && warned != "" {
				t.Errorf("warnings %q", warned)
			}
			if !strings.Contains(r.Advice, tt.advice) || tt.advice == "" && r.Advice != "" {
				t.Errorf("advice %q", r.Advice)
			}
			if r.Provisional != (tt.e.job == nil) || strings.Contains(r.Reason, "\n") {
				t.Errorf("result %+v", r)
			}
		})
	}
}

func TestAdviceForCommonFailures(t *testing.T) {
	for said, advice := range map[string]string{
		"RuntimeError: CUDA error: out of memory": "GPU's memory",
		"MemoryError": "memory was not enough",
		"OSError: [Errno 122] Disk quota exceeded":                                                 "quota",
		"OSError: [Errno 28] No space left on device":                                              "disk is full",
		"container lab/x:9: manifest unknown":                                                      "--container",
		"requests.exceptions.SSLError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed": "--ca",
		"requests.exceptions.HTTPError: 401 Client Error: Unauthorized":                            "job's keys",
		"run.py: error: the following arguments are required: --cytomine_id_images":                "--dry-run",
		"ModuleNotFoundError: No module named 'cv2'":                                               "container lacks",
		"Cannot connect: [Errno 111] Connection refused":                                           "could not reach",
		"ValueError: threshold must be positive":                                                   "",
		"":                                                                                         "",
	} {
		if got := advise(said); !strings.Contains(got, advice) || advice == "" && got != "" {
			t.Errorf("%q: %q", said, got)
		}
	}
}

func TestImagesWithoutResultsAreNamed(t *testing.T) {
	s := newSite(t)
	var ids, names []string
	for i := range 4 {
		names = append(names, fmt.Sprintf("slide-%d.png", i))
		ids = append(ids, fmt.Sprint(s.addImage(names[i])))
	}
	spec := noFlags(s.spec("annotate " + strings.Join(ids[:2], ",") + keyWords))
	spec.Values = append(spec.Values, client.Value{Parameter: "images", Text: strings.Join(ids, ","), Origin: client.FromUser, Labels: names})
	run := s.create(spec)
	s.start(run)
	run = s.ended(run, runner.Succeeded)
	want := "results for 2 of 4 chosen images; none for slide-2.png, slide-3.png"
	if run.Result.Annotations != 2 || len(run.Result.Warnings) != 1 || run.Result.Warnings[0] != want {
		t.Errorf("%d annotations, warnings %q", run.Result.Annotations, run.Result.Warnings)
	}
	spec.ID, spec.Strict = "", true
	run = s.create(spec)
	s.start(run)
	run = s.ended(run, runner.Failed)
	if !strings.Contains(run.Reason, want) {
		t.Errorf("reason %q", run.Reason)
	}
	for _, job := range s.jobs() {
		if job.id == int(run.Job) && (job.status != 4 || !strings.Contains(job.comment, "slide-3.png")) {
			t.Errorf("server has %+v", job)
		}
	}
}

func TestManyImagesWithoutResultsAreCounted(t *testing.T) {
	var ids []string
	for i := range 40 {
		ids = append(ids, fmt.Sprint(i+1))
	}
	run := runner.Run{Spec: runner.Spec{
		Algorithm: runner.AlgorithmSpec{Parameters: []runner.ParameterSpec{{Parameter: descriptor.Parameter{ID: "i", Type: descriptor.ListDomain, URI: "/api/project/1/imageinstance.json"}}}},
		Values:    []client.Value{{Parameter: "i", Text: strings.Join(ids, ",")}},
	}}
	w := left{annotations: 1, images: map[client.ID]int{7: 1}}.warnings(run)
	if len(w) != 1 || !strings.HasPrefix(w[0], "results for 1 of 40 chosen images; none for 1, 2, ") || !strings.HasSuffix(w[0], "and 29 more") {
		t.Errorf("warnings %q", w)
	}
}

func TestTheTimeLimitEndsARun(t *testing.T) {
	s := newSite(t)
	spec := s.spec("ignore-term")
	spec.Resources.TimeLimit = 500 * time.Millisecond
	run := s.create(spec)
	s.start(run)
	run = s.ended(run, runner.Failed)
	if !strings.Contains(run.Reason, "time limit") {
		t.Errorf("reason %q", run.Reason)
	}
	started, _ := runner.ReadStarted(run.Folder)
	s.noProcess(run, started)
}
