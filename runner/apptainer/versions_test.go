package apptainer

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// standIn is a command that knows the flags of its version, refuses others as
// cobra does, and prints how it would start the program: the verb, the
// arguments, and the value of V as the shell of that version makes it.
const standIn = `#!/bin/sh
refuse() { echo "Error for command \"$verb\": unknown flag: $1" >&2; exit 1; }
case $1 in
--version) echo "NAME version VERSION"; exit ;;
buildcfg) exit 1 ;;
esac
evaluates=yes
while [ $# -gt 0 ]; do
	case $1 in
	exec|run|build) verb=$1; shift ;;
	--nocolor|-q|-C|-e|--nv|--disable-cache|--force) shift ;;
	--home|--workdir|--pwd|--bind) shift 2 ;;
	NEWER) evaluates=; shift ;;
	--memory|--cpus) case NEWER in --no-eval) shift 2 ;; *) refuse "$1" ;; esac ;;
	--mksquashfs-args) case FAST in yes) shift 2 ;; *) refuse "$1" ;; esac ;;
	-*) refuse "$1" ;;
	*) break ;;
	esac
done
[ "$verb" != build ] || { echo built >"$1"; exit; }
shift
printf '<%s>' "$verb" "$@"
if [ "$evaluates" ]; then
	# Old versions put the value between double quotes and take care of quotes.
	quoted=$(printf %s "$PREFIXENV_V" | sed 's/"/\\"/g')
	eval "V=\"$quoted\""
else
	V=$PREFIXENV_V
fi
printf '(%s)' "$V"
`

func TestEachVersionGivesTheProgramTheSame(t *testing.T) {
	for _, v := range []struct {
		name, version string
		newer, fast   bool
	}{
		{"singularity", "3.6.4", false, false},
		{"singularity", "3.8.7", false, false},
		{"singularity-ce", "3.9.9-focal", false, false},
		{"singularity-ce", "3.11.4-jammy", true, false},
		{"singularity-ce", "4.1.1+ds2-1", true, false},
		{"apptainer", "1.0.3", false, false},
		{"apptainer", "1.1.9-1.el8", true, false},
		{"apptainer", "1.2.5", true, true},
		{"apptainer", "1.3.6", true, true},
		{"apptainer", "1.4.5-2", true, true},
		{"apptainer", "1.5.3", true, true},
	} {
		t.Run(v.name+" "+v.version, func(t *testing.T) {
			own(t)
			bin := t.TempDir()
			newer, fast, command := "--none", "no", strings.TrimSuffix(v.name, "-ce")
			if v.newer {
				newer = "--no-eval"
			}
			if v.fast {
				fast = "yes"
			}
			script := strings.NewReplacer("NAME", v.name, "VERSION", v.version, "NEWER", newer, "FAST", fast, "PREFIX", strings.ToUpper(command)).Replace(standIn)
			if err := os.WriteFile(filepath.Join(bin, command), []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			a, err := probe(filepath.Join(bin, command))
			if err != nil {
				t.Fatal(err)
			}
			if err := a.build(t.Context(), bin, "tree", "x.sif", func(string) {}); err != nil {
				t.Error(err)
			}
			for _, value := range hostileValues {
				j := Job{
					Container: Container{Path: "/x.sif"}, Argv: []string{"--flag", value, "$(id)"}, WorkDir: t.TempDir(), GPU: true,
					Env: map[string]string{"V": value}, Binds: []string{"/etc:/mnt:ro"}, Memory: 1 << 30, CPUs: 1,
				}
				argv, env := a.Command(j)
				cmd := exec.Command(argv[0], argv[1:]...)
				cmd.Env = env
				out, err := cmd.Output()
				var exit *exec.ExitError
				if errors.As(err, &exit) {
					t.Fatalf("%v: %s", argv, exit.Stderr)
				}
				// A shell drops new lines at the end of what it substitutes.
				if want := "<run><--flag><" + value + "><$(id)>(" + value + ")"; string(out) != want {
					t.Errorf("got %q, want %q", out, want)
				}
			}
		})
	}
}

// The scripts that commands made of images before they kept their configuration,
// with the quoting of each.
func TestWhatOldScriptsStart(t *testing.T) {
	script := func(entrypoint, cmd string) string {
		return "#!/bin/sh\nOCI_ENTRYPOINT='" + entrypoint + "'\nOCI_CMD='" + cmd + "'\nCMDLINE_ARGS=\"\"\neval \"set ${SINGULARITY_OCI_RUN}\"\nexec \"$@\"\n"
	}
	for name, tt := range map[string]struct {
		script          string
		entrypoint, cmd []string
		ok              bool
	}{
		"entrypoint and arguments": {script(`"/bin/tool" "--fast"`, `"--help"`), []string{"/bin/tool", "--fast"}, []string{"--help"}, true},
		"neither":                  {script("", ""), nil, nil, true},
		"arguments only":           {script("", `"python" "run.py"`), nil, []string{"python", "run.py"}, true},
		"what a shell reads":       {script(`"sh" "-c" "echo \"\$HOME\" \\ \`+"`id\\`"+`"`, ""), []string{"sh", "-c", "echo \"$HOME\" \\ `id`"}, nil, true},
		"not evaluated":            {script(`"echo" "$(id) $HOME"`, ""), []string{"echo", "$(id) $HOME"}, nil, true},
		"a single quote":           {script(`"echo" "it'"'"'s"`, ""), []string{"echo", "it's"}, nil, true},
		"several lines":            {script("\"sh\" \"-c\" \"a\nb\"", ""), []string{"sh", "-c", "a\nb"}, nil, true},
		"an empty word":            {script(`"tool" ""`, ""), []string{"tool", ""}, nil, true},
		"a person's own":           {"#!/bin/sh\nexec tool \"$@\"\n", nil, nil, false},
		"one of two":               {"OCI_ENTRYPOINT='\"x\"'\n", nil, nil, false},
		"no quotes":                {script("tool", ""), nil, nil, false},
		"open quotes":              {"OCI_ENTRYPOINT='\"x\nOCI_CMD='", nil, nil, false},
		"a word that is open":      {script(`"x`, ""), nil, nil, false},
		"an expression":            {"OCI_ENTRYPOINT=$(x)\nOCI_CMD=''\n", nil, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, ok := ociScript(tt.script)
			if ok != tt.ok || ok && (!slices.Equal(c.Entrypoint, tt.entrypoint) || !slices.Equal(c.Cmd, tt.cmd)) {
				t.Errorf("%v %+v", ok, c)
			}
		})
	}
}

func FuzzOCIScript(f *testing.F) {
	f.Add("OCI_ENTRYPOINT='\"a\" \"b\\\\\"'\nOCI_CMD=''\n")
	f.Add("OCI_CMD='\"it'\"'\"'s\"'\nOCI_ENTRYPOINT='")
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := ociScript(s); ok && c == nil {
			t.Error("nothing, and no complaint")
		}
		// What is quoted as the scripts do comes back.
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(s) + `"`
		script := "#!/bin/sh\nOCI_ENTRYPOINT='" + strings.ReplaceAll(quoted, "'", `'"'"'`) + "'\nOCI_CMD=''\n"
		c, ok := ociScript(script)
		if !ok || len(c.Entrypoint) != 1 || c.Entrypoint[0] != s {
			t.Errorf("%q became %+v", s, c)
		}
	})
}
