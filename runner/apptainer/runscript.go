package apptainer

import "strings"

// ociScript reads the entrypoint and the default arguments of an image from the
// script that a command before Singularity 3.9 made of it, which keeps no other
// record of them:
//
//	OCI_ENTRYPOINT='"/bin/tool" "--fast"'
//	OCI_CMD='"--help"'
//
// These scripts evaluate their arguments by a shell, so they are never run. ok is
// false for any other script.
func ociScript(script string) (config *ociConfig, ok bool) {
	entrypoint, rest, ok1 := assigned(script, "OCI_ENTRYPOINT")
	cmd, _, ok2 := assigned(rest, "OCI_CMD")
	if !ok1 || !ok2 {
		return nil, false
	}
	config = &ociConfig{}
	if config.Entrypoint, ok = doubleQuoted(entrypoint); !ok {
		return nil, false
	}
	if config.Cmd, ok = doubleQuoted(cmd); !ok {
		return nil, false
	}
	return config, true
}

// assigned is the value of the line NAME=VALUE of a script, VALUE being made of
// parts in quotes, and what follows it. A part may have several lines.
func assigned(script, name string) (value, rest string, ok bool) {
	at := strings.Index("\n"+script, "\n"+name+"=")
	if at < 0 {
		return "", "", false
	}
	rest = script[at+len(name)+1:]
	var b strings.Builder
	for rest != "" && rest[0] != '\n' {
		quote := rest[0]
		if quote != '\'' && quote != '"' {
			return "", "", false
		}
		part, after, closed := strings.Cut(rest[1:], string(quote))
		if !closed {
			return "", "", false
		}
		b.WriteString(part)
		rest = after
	}
	return b.String(), rest, true
}

// doubleQuoted splits "one" "two words" as a shell would, but evaluates nothing.
func doubleQuoted(s string) (words []string, ok bool) {
	for s = strings.TrimLeft(s, " "); s != ""; s = strings.TrimLeft(s, " ") {
		if s[0] != '"' {
			return nil, false
		}
		var b strings.Builder
		i := 1
		for ; i < len(s) && s[i] != '"'; i++ {
			if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("\\\"$`", s[i+1]) >= 0 {
				i++
			}
			b.WriteByte(s[i])
		}
		if i >= len(s) {
			return nil, false
		}
		words = append(words, b.String())
		s = s[i+1:]
	}
	return words, true
}
