package runner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Space is the room that a folder offers to this user.
type Space struct {
	Path  string // that was asked for; it need not exist yet
	Mount string // where its file system is mounted
	Type  string // of the file system, such as "ext4"
	// Device is the same for folders of one file system.
	Device uint64
	// Free and Total are bytes, of the file system.
	Free, Total int64
	// Quota is what this user may use of it, nil where there is none or nobody
	// can tell.
	Quota *Quota
}

// Quota is a user's share of a file system, in bytes.
type Quota struct {
	Used int64
	// Soft may be exceeded for some days, Hard never; 0 is no limit.
	Soft, Hard int64
}

// Limit is the lower of the two limits, 0 where there is none.
func (q Quota) Limit() int64 {
	if q.Soft > 0 && (q.Soft < q.Hard || q.Hard == 0) {
		return q.Soft
	}
	return q.Hard
}

// Left is how much may still be written: the file system's free space, or what
// is left of the quota where that is less.
func (s Space) Left() int64 {
	if s.Quota != nil && s.Quota.Limit() > 0 {
		return max(min(s.Free, s.Quota.Limit()-s.Quota.Used), 0)
	}
	return s.Free
}

// SpaceOf looks at the file system that a folder is on, or will be on when it
// is made. Quotas come from the kernel, and for NFS and Lustre from the
// commands `quota` and `lfs` where they are installed.
func SpaceOf(ctx context.Context, path string) (Space, error) {
	s := Space{Path: path}
	there, err := filepath.Abs(path)
	if err != nil {
		return s, fmt.Errorf("cannot look at the space of %s: %w", path, err)
	}
	for there != "/" {
		if _, err := os.Stat(there); err == nil {
			break
		}
		there = filepath.Dir(there)
	}
	if real, err := filepath.EvalSymlinks(there); err == nil {
		there = real
	}
	var fs unix.Statfs_t
	var st unix.Stat_t
	if err = unix.Statfs(there, &fs); err == nil {
		err = unix.Stat(there, &st)
	}
	if err != nil {
		return s, fmt.Errorf("cannot look at the space of %s: %w", path, err)
	}
	s.Free, s.Total, s.Device = int64(fs.Bavail)*fs.Bsize, int64(fs.Blocks)*fs.Bsize, uint64(st.Dev)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return s, nil
	}
	m := mountOf(mounts, there)
	s.Mount, s.Type = m.point, m.kind
	s.Quota = m.quota(ctx, there, os.Getuid())
	return s, nil
}

// mount is one line of /proc/self/mountinfo.
type mount struct{ point, kind, source string }

// mountOf finds the file system of a path: the longest mount point above it,
// and of several at one point the last.
func mountOf(mountinfo []byte, path string) (best mount) {
	for line := range strings.Lines(string(mountinfo)) {
		before, after, ok := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 5 || len(g) < 2 {
			continue
		}
		point := unescape(f[4])
		if path != point && !strings.HasPrefix(path, strings.TrimSuffix(point, "/")+"/") || len(point) < len(best.point) {
			continue
		}
		best = mount{point, g[0], unescape(g[1])}
	}
	return best
}

// unescape replaces what mountinfo writes for spaces and the like: \040.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// quota asks whoever knows the quotas of a kind of file system.
func (m mount) quota(ctx context.Context, path string, uid int) *Quota {
	switch {
	case strings.HasPrefix(m.kind, "nfs"):
		return parseQuota(tool(ctx, "quota", "-u", "-w", "-p", "-f", m.point), m.source)
	case m.kind == "lustre":
		return parseLustre(tool(ctx, "lfs", "quota", "-q", "-u", strconv.Itoa(uid), m.point), m.point)
	default:
		return kernelQuota(path, m.source, uid)
	}
}

// toolTimeout bounds commands that ask a server.
const toolTimeout = 3 * time.Second

// tool gives what a command prints, also where it complains: quota exits with 1
// for a user beyond a limit.
func tool(ctx context.Context, name string, args ...string) string {
	ctx, stop := context.WithTimeout(ctx, toolTimeout)
	defer stop()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
	out, _ := cmd.Output()
	return string(out)
}

// parseQuota reads `quota -w -p`: a line for each file system with what is
// used, the two limits in KiB and more. Beyond a limit a star follows.
func parseQuota(out, source string) *Quota {
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) >= 4 && f[0] == source {
			return kibibytes(f[1], f[2], f[3])
		}
	}
	return nil
}

// parseLustre reads `lfs quota -q`: the mount point and the same numbers. A
// long mount point has a line of its own.
func parseLustre(out, point string) *Quota {
	f := strings.Fields(out)
	if len(f) >= 4 && f[0] == point {
		return kibibytes(f[1], f[2], f[3])
	}
	return nil
}

func kibibytes(used, soft, hard string) *Quota {
	var n [3]int64
	for i, s := range []string{used, soft, hard} {
		v, err := strconv.ParseInt(strings.Trim(s, "*[]"), 10, 53)
		if err != nil || v < 0 {
			return nil
		}
		n[i] = v << 10
	}
	if n[1] == 0 && n[2] == 0 {
		return nil
	}
	return &Quota{Used: n[0], Soft: n[1], Hard: n[2]}
}

// getQuota is QCMD(Q_GETQUOTA, USRQUOTA) of quotactl(2).
const getQuota = 0x800007 << 8

// kernelQuota asks the kernel: by a folder where it is new enough, else by the
// block device of the file system.
func kernelQuota(folder, device string, uid int) *Quota {
	var answer dqblk
	fd, err := unix.Open(folder, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	_, _, errno := unix.Syscall6(unix.SYS_QUOTACTL_FD, uintptr(fd), getQuota, uintptr(uid), uintptr(unsafe.Pointer(&answer)), 0, 0)
	if errno == unix.ENOSYS {
		name, err := unix.BytePtrFromString(device)
		if err != nil {
			return nil
		}
		_, _, errno = unix.Syscall6(unix.SYS_QUOTACTL, getQuota, uintptr(unsafe.Pointer(name)), uintptr(uid), uintptr(unsafe.Pointer(&answer)), 0, 0)
	}
	if errno != 0 {
		return nil
	}
	return answer.quota()
}

// dqblk is the kernel's struct if_dqblk.
type dqblk struct {
	hard, soft uint64 // KiB
	used       uint64 // bytes
	_          [5]uint64
	_          [2]uint32
}

func (d dqblk) quota() *Quota {
	const most = 1 << 52 // KiB; more is no limit
	if d.hard >= most || d.soft >= most || d.used >= most<<10 || d.hard == 0 && d.soft == 0 {
		return nil
	}
	return &Quota{Used: int64(d.used), Soft: int64(d.soft) << 10, Hard: int64(d.hard) << 10}
}
