package runner

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestSpaceOfAFolder(t *testing.T) {
	dir := t.TempDir()
	here, err := SpaceOf(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	below, err := SpaceOf(t.Context(), filepath.Join(dir, "not", "yet"))
	if err != nil {
		t.Fatal(err)
	}
	if here.Device != below.Device || here.Total <= 0 || here.Free > here.Total || here.Mount == "" || here.Type == "" || here.Left() > here.Free {
		t.Errorf("%+v %+v", here, below)
	}
	proc, err := SpaceOf(t.Context(), "/proc/self")
	if err != nil || proc.Mount != "/proc" || proc.Type != "proc" || proc.Device == here.Device {
		t.Errorf("%+v %v", proc, err)
	}
}

func TestMountOfAPath(t *testing.T) {
	const mounts = `22 1 253:0 / / rw - ext4 /dev/vda rw
30 22 0:25 / /home rw,nosuid shared:1 - nfs4 server:/export/home rw
31 22 0:26 / /data\040old rw - lustre mgs@tcp:/scratch rw
32 31 0:27 /x /data\040old rw - tmpfs none rw
broken line
33 22 0:28 / /homework rw - xfs /dev/vdb rw
`
	for path, want := range map[string]mount{
		"/":           {"/", "ext4", "/dev/vda"},
		"/var/x":      {"/", "ext4", "/dev/vda"},
		"/home":       {"/home", "nfs4", "server:/export/home"},
		"/home/anna":  {"/home", "nfs4", "server:/export/home"},
		"/homework/x": {"/homework", "xfs", "/dev/vdb"},
		"/data old/x": {"/data old", "tmpfs", "none"},
	} {
		if got := mountOf([]byte(mounts), path); got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
}

func TestQuotasOfCommands(t *testing.T) {
	const quota = `Disk quotas for user anna (uid 1001):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
server:/export/home 19922944* 18874368 20971520 0 12345 0 0 0
server:/export/data 5 0 0 0 12345 0 0 0
`
	q := parseQuota(quota, "server:/export/home")
	if q == nil || *q != (Quota{Used: 19 << 30, Soft: 18 << 30, Hard: 20 << 30}) {
		t.Fatalf("%+v", q)
	}
	if left := (Space{Free: 1 << 40, Quota: q}).Left(); left != 0 {
		t.Errorf("%d are left beyond a limit", left)
	}
	if left := (Space{Free: 1 << 30, Quota: &Quota{Used: 1, Hard: 1 << 40}}).Left(); left != 1<<30 {
		t.Errorf("%d are left of a full disk", left)
	}
	for _, source := range []string{"server:/export/data", "server:/other", ""} {
		if q := parseQuota(quota, source); q != nil {
			t.Errorf("%s: %+v", source, q)
		}
	}
	q = parseLustre("     /lustre/scratch\n                 1048576       0 20971520       -     123       0       0       -\n", "/lustre/scratch")
	if q == nil || *q != (Quota{Used: 1 << 30, Hard: 20 << 30}) {
		t.Errorf("%+v", q)
	}
	for _, out := range []string{"", "Permission denied.", "/lustre/scratch - - -", "/lustre/scratch 1 99999999999999999999 2"} {
		if q := parseLustre(out, "/lustre/scratch"); q != nil {
			t.Errorf("%q: %+v", out, q)
		}
	}
}

func TestQuotasOfTheKernel(t *testing.T) {
	if size := unsafe.Sizeof(dqblk{}); size != 72 {
		t.Errorf("struct if_dqblk has %d bytes", size)
	}
	for _, c := range []struct {
		d    dqblk
		want *Quota
	}{
		{dqblk{hard: 20 << 20, soft: 18 << 20, used: 5}, &Quota{Used: 5, Soft: 18 << 30, Hard: 20 << 30}},
		{dqblk{used: 5}, nil},
		{dqblk{hard: 1 << 63}, nil},
	} {
		got := c.d.quota()
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%+v: %+v", c.d, got)
		}
	}
}

func FuzzQuota(f *testing.F) {
	f.Add("a 1* 2 3 0\n", "22 1 253:0 / /a\\040b rw - ext4 /dev/vda rw\n")
	f.Fuzz(func(t *testing.T, out, mounts string) {
		for _, q := range []*Quota{parseQuota(out, "a"), parseLustre(out, "a")} {
			if q != nil && (q.Used < 0 || q.Limit() <= 0) {
				t.Errorf("%+v", q)
			}
		}
		mountOf([]byte(mounts), "/a b/c")
	})
}

// quotaFolder names a folder with a quota to the test that runs below it.
const quotaFolder = "CYTORUN_TEST_QUOTA"

func TestKernelQuota(t *testing.T) {
	if dir := os.Getenv(quotaFolder); dir != "" {
		s, err := SpaceOf(context.Background(), dir)
		if err != nil || s.Quota == nil || s.Quota.Soft != 4<<20 || s.Quota.Hard != 8<<20 || s.Left() > 4<<20 {
			t.Errorf("%+v %+v %v", s, s.Quota, err)
		}
		return
	}
	if os.Getuid() != 0 {
		t.Skip("needs root to make a file system with quotas")
	}
	dir := t.TempDir()
	image, point := filepath.Join(dir, "image"), filepath.Join(dir, "mount point")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(point, 0o755))
	must(os.WriteFile(image, nil, 0o600))
	must(os.Truncate(image, 32<<20))
	for _, argv := range [][]string{
		{"mkfs.ext4", "-q", "-O", "quota", "-E", "quotatype=usrquota", image},
		{"mount", "-o", "loop", image, point},
	} {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Skipf("needs to mount a file system with quotas: %s: %v: %s", argv[0], err, out)
		}
	}
	defer exec.Command("umount", point).Run()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	must(err)
	m := mountOf(mounts, point)
	if m.kind != "ext4" || !strings.HasPrefix(m.source, "/dev/") {
		t.Fatalf("%+v", m)
	}
	name, err := unix.BytePtrFromString(m.source)
	must(err)
	limits := struct {
		hard, soft uint64
		_          [6]uint64
		valid      uint32
		_          uint32
	}{hard: 8 << 10, soft: 4 << 10, valid: 1}
	const setQuota = 0x800008 << 8
	if _, _, errno := unix.Syscall6(unix.SYS_QUOTACTL, setQuota, uintptr(unsafe.Pointer(name)), 0, uintptr(unsafe.Pointer(&limits)), 0, 0); errno != 0 {
		t.Skipf("needs quotas of the kernel: %v", errno)
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKernelQuota$")
	cmd.Env = append(os.Environ(), quotaFolder+"="+point)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTryFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	if err := TryFolder(dir); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{filepath.Join(file, "below"), "/proc/1/none"} {
		if err := TryFolder(bad); err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
