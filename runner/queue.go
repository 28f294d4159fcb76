package runner

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"golang.org/x/sys/unix"
)

// The queue of a box lies in one folder that all its users share. A run that
// waits holds a lock on its ticket there; the number in the ticket's name is
// its place. A run that works holds a lock on a slot. Package supervisor takes
// both; this file reads them, so that a list can say who waits for whom.

// WaitingForTurn begins the reason of a run that waits in the queue.
const WaitingForTurn = "waiting for its turn"

// LeaseDirs are the folders that may hold the queue and the leases of this box,
// best first: $CYTORUN_LEASES alone where it is set.
func LeaseDirs() []string {
	if d := os.Getenv("CYTORUN_LEASES"); d != "" {
		return []string{d}
	}
	// On some distributions only root may write to /run/lock.
	return []string{"/run/lock/cytorun", "/tmp/cytorun-leases"}
}

// Ticket is one place in the queue.
type Ticket struct {
	Number int64
	UID    int
	Run    string
	Path   string
}

// TicketName is the name of a ticket's file.
func TicketName(number int64, uid int, run string) string {
	return fmt.Sprintf("ticket-%012d-%d-%s", number, uid, run)
}

func parseTicket(path string) (Ticket, bool) {
	f := strings.SplitN(filepath.Base(path), "-", 4)
	if len(f) != 4 || f[0] != "ticket" || f[3] == "" {
		return Ticket{}, false
	}
	number, err1 := strconv.ParseInt(f[1], 10, 64)
	uid, err2 := strconv.Atoi(f[2])
	if cmp.Or(err1, err2) != nil || number <= 0 {
		return Ticket{}, false
	}
	return Ticket{Number: number, UID: uid, Run: f[3], Path: path}, true
}

// Tickets lists the places in the queue, first come first. A ticket whose
// holder died is listed too until somebody sweeps it; see Held.
func Tickets(dir string) []Ticket {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	var ts []Ticket
	for _, n := range names {
		if t, ok := parseTicket(filepath.Join(dir, n)); ok {
			ts = append(ts, t)
		}
	}
	slices.SortFunc(ts, func(a, b Ticket) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), strings.Compare(a.Path, b.Path))
	})
	return ts
}

// TrustedLeaseDir tells whether a folder may hold locks of several users: a
// real folder, owned by root or this user, or open to all and sticky.
func TrustedLeaseDir(dir string) error {
	st, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("%s is no folder; remove it, or set CYTORUN_LEASES", dir)
	}
	owner := -1
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		owner = int(sys.Uid)
	}
	if owner != 0 && owner != os.Getuid() && st.Mode()&os.ModeSticky == 0 {
		return fmt.Errorf("%s belongs to user %d who could remove our locks; ask for 'chmod 1777 %s', or set CYTORUN_LEASES", dir, owner, dir)
	}
	return nil
}

// explainQueue says of each waiting run of this box how many are before it and
// what the first of them waits for, as it is now: its own supervisor sleeps and
// does not follow the others.
func explainQueue(runs []Run) {
	var tickets []Ticket
	first := ""
	for i := range runs {
		r := &runs[i]
		if r.State != Queued || r.Ticket == 0 || r.ForeignHost || !strings.HasPrefix(r.Reason, WaitingForTurn) {
			continue
		}
		if tickets == nil {
			tickets = []Ticket{}
			for _, dir := range LeaseDirs() {
				if tickets = append(tickets, Tickets(dir)...); len(tickets) > 0 {
					first = tickets[0].reason()
					break
				}
			}
		}
		n, _ := slices.BinarySearchFunc(tickets, r.Ticket, func(t Ticket, n int64) int { return cmp.Compare(t.Number, n) })
		if n == 0 {
			continue
		}
		r.Reason = QueueReason(tickets[:n])
		if first != "" {
			r.Reason += ", " + first
		}
	}
}

// QueueReason says who waits before a run.
func QueueReason(before []Ticket) string {
	if len(before) == 0 {
		return WaitingForTurn
	}
	first := before[0]
	return fmt.Sprintf("%s: %d before it, first %s%s", WaitingForTurn, len(before), plain(first.Run), ofUser(first.UID))
}

// reason is what a run in the queue says that it waits for, empty where it says
// nothing. Anybody may have written it.
func (t Ticket) reason() string {
	f, err := os.OpenFile(t.Path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	const most = 16 << 10
	var said struct {
		Reason string `json:"reason"`
	}
	if err := json.NewDecoder(io.LimitReader(f, most)).Decode(&said); err != nil {
		return ""
	}
	return plain(said.Reason)
}

// plain leaves out what another user might draw with on a screen.
func plain(s string) string {
	const most = 500
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

// ofUser names another user of this box, and nobody for ourselves.
func ofUser(uid int) string {
	if uid == os.Getuid() {
		return ""
	}
	name := strconv.Itoa(uid)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return " of " + name
}
