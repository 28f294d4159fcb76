package apptainer

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/apptainer/apptainer/pkg/util/apptainerconf"
	"golang.org/x/sys/unix"

	"github.com/cytorun/cytorun/internal/text"
)

// Kind says in a few words what is installed, such as "apptainer 1.4.5,
// unprivileged".
func (a *Apptainer) Kind() string {
	if a.suid {
		return a.Name + " " + a.Version + ", setuid"
	}
	return a.Name + " " + a.Version + ", unprivileged"
}

// site reads the site's configuration. Where there is none the command's own
// defaults hold.
func (a *Apptainer) site() (*apptainerconf.File, error) {
	if a.conf == "" {
		return apptainerconf.GetConfig(nil)
	}
	f, err := apptainerconf.Parse(a.conf)
	if os.IsNotExist(err) {
		return apptainerconf.GetConfig(nil)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the site's configuration %s: %s", a.conf, oneLine(err.Error()))
	}
	return f, nil
}

// Forbidden lists what the site's configuration keeps from this user. containers
// is the folder of the cache; empty leaves out what depends on it. It reads two
// files and starts nothing.
func (a *Apptainer) Forbidden(containers string) []Problem {
	conf, err := a.site()
	if err != nil {
		return []Problem{{What: err.Error()}}
	}
	me := person{root: os.Geteuid() == 0}
	if u, err := user.Current(); err == nil {
		me.name = u.Username
	}
	if ids, err := os.Getgroups(); err == nil {
		for _, id := range ids {
			if g, err := user.LookupGroupId(strconv.Itoa(id)); err == nil {
				me.groups = append(me.groups, g.Name)
			}
		}
	}
	return forbidden(conf, a.conf, a.suid, me, containers)
}

// person is who runs containers.
type person struct {
	root   bool
	name   string
	groups []string
}

func forbidden(conf *apptainerconf.File, file string, suid bool, me person, containers string) []Problem {
	var out []Problem
	add := func(fatal bool, directive, what string) {
		out = append(out, Problem{
			What:  what + " (" + directive + " in " + file + ")",
			Fix:   "ask the administrator of this box to change '" + directive + "' in " + file,
			Fatal: fatal,
		})
	}
	if !me.root {
		if !conf.AllowContainerSIF {
			add(true, "allow container sif = no", "the site forbids SIF files, which all containers are")
		}
		if !conf.AllowUserNs && !suid {
			add(true, "allow user ns = no", "the site forbids user namespaces, and nothing else is installed")
		}
		if !conf.UserBindControl {
			add(false, "user bind control = no", "the site forbids to show folders in a container: programs have 64 MB for HOME and /tmp together")
		}
		// These hold for an installation that runs as root only.
		if suid {
			limitOwner(conf, me, add)
			if paths := conf.LimitContainerPaths; len(paths) > 0 && containers != "" && !slices.ContainsFunc(paths, func(p string) bool { return within(p, containers) }) {
				where := text.Line(strings.Join(paths, ", "))
				out = append(out, Problem{
					What:  "the site runs only containers in " + where + " (limit container paths in " + file + ")",
					Fix:   "set [paths] containers in config.toml to a folder of yours there, or name a .sif file there with --container",
					Fatal: true,
				})
			}
		}
	}
	if !conf.MountTmp {
		add(false, "mount tmp = no", "the site gives containers no /tmp")
	}
	if conf.EnableOverlay == "no" && conf.EnableUnderlay == "no" {
		add(false, "enable overlay = no", "the site forbids to show a folder where the container has none of that name")
	}
	if !conf.AllowPidNs {
		add(false, "allow pid ns = no", "the site lets processes of a container outlive it; they are ended one by one")
	}
	if conf.AlwaysUseNv {
		add(false, "always use nv = yes", "the site shows the GPUs to each container; runs without a lease are told to leave them alone")
	}
	return out
}

// limitOwner looks whether containers that this user fetched may run.
func limitOwner(conf *apptainerconf.File, me person, add func(bool, string, string)) {
	if o := conf.LimitContainerOwners; len(o) > 0 && !slices.Contains(o, me.name) {
		add(true, "limit container owners", "the site runs only containers that belong to "+text.Line(strings.Join(o, ", ")))
	}
	if g := conf.LimitContainerGroups; len(g) > 0 && !slices.ContainsFunc(g, func(n string) bool { return slices.Contains(me.groups, n) }) {
		add(true, "limit container groups", "the site runs only containers of the groups "+text.Line(strings.Join(g, ", ")))
	}
}

// within tells whether path is dir or lies below it.
func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// Limits tells whether memory and processors of a container can be limited for
// this user: nil, or one line why not.
func (a *Apptainer) Limits() error {
	no := func(why string) error {
		return fmt.Errorf("memory and processors of a container cannot be limited here: %s", why)
	}
	if !a.limits {
		return no(a.Name + " " + a.Version + " is too old")
	}
	conf, err := a.site()
	if err != nil {
		return no(err.Error())
	}
	_, err = os.Stat("/run/systemd/system")
	systemd := err == nil
	if os.Geteuid() == 0 {
		if conf.SystemdCgroups && !systemd {
			return no("systemd does not run; set 'systemd cgroups = no' in " + a.conf)
		}
		return nil
	}
	var fs unix.Statfs_t
	if err := unix.Statfs("/sys/fs/cgroup", &fs); err != nil || fs.Type != unix.CGROUP2_SUPER_MAGIC {
		return no("this box has control groups of version 1, which only root may use")
	}
	if !systemd || !conf.SystemdCgroups {
		return no("only root may without systemd")
	}
	if os.Getenv("XDG_RUNTIME_DIR") == "" {
		return no("this is no login session (XDG_RUNTIME_DIR is not set); try 'loginctl enable-linger' and log in again")
	}
	uid := strconv.Itoa(os.Getuid())
	b, err := os.ReadFile("/sys/fs/cgroup/user.slice/user-" + uid + ".slice/user@" + uid + ".service/cgroup.controllers")
	if has := strings.Fields(string(b)); err != nil || !slices.Contains(has, "memory") || !slices.Contains(has, "cpu") {
		return no("systemd does not delegate them to users; ask for Delegate=cpu memory pids in user@.service")
	}
	return nil
}
