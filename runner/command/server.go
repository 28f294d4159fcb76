package command

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// maxServerCommand bounds the emulation: values that contain keys can double
// the command with every parameter.
const maxServerCommand = 1 << 20

// serverCommand makes the words that a Cytomine server (Community Edition, 3.0
// and later) sends to its execution host: JobRuntimeService replaces every
// occurrence of each key, in parameter order, by flag and value with Java's
// String.replaceAll and splits the result at single spaces, so that removed
// keys leave empty words.
func serverCommand(commandLine string, args []argument) ([]string, error) {
	line := commandLine
	for _, a := range args {
		if a.param.ServerParameter {
			continue
		}
		text := ""
		if a.value != "" {
			text = a.value
			if a.param.Flag != "" {
				text = a.param.Flag + " " + a.value
			}
		}
		var err error
		if line, err = javaReplaceAll(line, a.key, text); err != nil {
			return nil, fmt.Errorf("%s: %w", a.param.ID, err)
		}
	}
	words := strings.Split(line, " ")
	for len(words) > 0 && words[len(words)-1] == "" {
		words = words[:len(words)-1]
	}
	return words, nil
}

// javaReplaceAll is line.replaceAll(key with [ and ] escaped, text): the key
// is a regular expression and $ and \ in the text have a meaning.
func javaReplaceAll(line, key, text string) (string, error) {
	if key != "" && !strings.ContainsAny(key, special) {
		return replaceText(line, key, text)
	}
	re, err := regexp.Compile(strings.NewReplacer("[", `\[`, "]", `\]`).Replace(key))
	if err != nil {
		return "", errors.New("its key is no regular expression")
	}
	matches := re.FindAllStringIndex(line, -1)
	if len(matches) == 0 {
		return line, nil
	}
	if text, err = javaReplacement(text); err != nil {
		return "", err
	}
	if len(line)+len(matches)*len(text) > maxServerCommand {
		return "", errEndless
	}
	return re.ReplaceAllLiteralString(line, text), nil
}

// special are the characters that make a key more than its own text.
const special = `\.+*?()|{}^$`

var errEndless = errors.New("the command would grow without end")

// replaceText is javaReplaceAll for an ordinary key, without the price of a
// regular expression: a form of 200 parameters does this at every key.
func replaceText(line, key, text string) (string, error) {
	n := strings.Count(line, key)
	if n == 0 {
		return line, nil
	}
	text, err := javaReplacement(text)
	if err != nil {
		return "", err
	}
	if len(line)+n*len(text) > maxServerCommand {
		return "", errEndless
	}
	return strings.ReplaceAll(line, key, text), nil
}

// javaReplacement resolves backslashes; a dollar sign refers to a group, and
// keys have none.
func javaReplacement(text string) (string, error) {
	if !strings.ContainsAny(text, `$\`) {
		return text, nil
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '$':
			return "", errors.New("a dollar sign in the value makes it fail")
		case '\\':
			if i++; i == len(text) {
				return "", errors.New("a backslash at the end of the value makes it fail")
			}
		}
		b.WriteByte(text[i])
	}
	return b.String(), nil
}
