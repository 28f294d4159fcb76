package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/cytorun/cytorun/internal/text"
)

// asks tells whether there is a person to ask: a terminal on standard input.
func (c *cli) asks() bool {
	f, ok := c.in.(*os.File)
	return ok && isTerminal(f)
}

// confirm asks a question that is answered with yes or no; no answer is no.
func (c *cli) confirm(question string) bool {
	answer := c.answer(question + " [y/N] ")
	return answer == "y" || answer == "yes"
}

// choose asks until one of the words is given, by its first letter too; no
// answer at all is the empty word.
func (c *cli) choose(question string, words ...string) string {
	for range 5 {
		answer := c.answer(question + " [" + strings.Join(words, "/") + "] ")
		for _, w := range words {
			if answer != "" && strings.HasPrefix(w, answer) {
				return w
			}
		}
		if answer == "" {
			return ""
		}
	}
	return ""
}

func (c *cli) answer(question string) string {
	fmt.Fprint(c.err, text.Line(question))
	line, _ := bufio.NewReader(c.in).ReadString('\n')
	return strings.ToLower(strings.TrimSpace(line))
}
