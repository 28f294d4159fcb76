package supervisor

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
)

// Places where systemd says what it does at logout.
var (
	// In the order in which systemd reads them.
	logindFiles = []string{"/usr/lib/systemd/logind.conf", "/etc/systemd/logind.conf", "/usr/lib/systemd/logind.conf.d/*.conf", "/etc/systemd/logind.conf.d/*.conf"}
	lingerDir   = "/var/lib/systemd/linger"
)

// scope is what a supervisor is started with: this program alone, or inside a
// scope of the user's own systemd where logging out would kill it otherwise.
// Without lingering such a scope ends at the last logout too, so it is no use;
// see LogoutKills.
func scope(exe string) []string {
	if !killsUserProcesses() || !lingers() {
		return []string{exe}
	}
	run, err := exec.LookPath("systemd-run")
	if err != nil {
		return []string{exe}
	}
	return []string{run, "--user", "--scope", "--quiet", "--collect", "--", exe}
}

// LogoutKills tells that this box ends all processes of a user at logout, and
// the command that mends it. An empty text means that runs survive.
func LogoutKills() string {
	if !killsUserProcesses() || lingers() {
		return ""
	}
	return "this box ends your runs when you log out; run 'loginctl enable-linger' once"
}

func killsUserProcesses() bool {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return false
	}
	return killsIn(logindFiles)
}

// killsIn reads the configuration of logind. Later files override earlier ones.
func killsIn(patterns []string) bool {
	kills := false
	for _, pattern := range patterns {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			if b, err := os.ReadFile(f); err == nil {
				kills = setting(string(b), "KillUserProcesses", kills)
			}
		}
	}
	return kills
}

// setting reads the last value of a boolean in a configuration of systemd.
func setting(text, name string, before bool) bool {
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.TrimSpace(key) != name {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(value)) {
		case "yes", "true", "on", "1":
			before = true
		case "no", "false", "off", "0":
			before = false
		}
	}
	return before
}

func lingers() bool {
	u, err := user.Current()
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join(lingerDir, u.Username))
	return err == nil
}
