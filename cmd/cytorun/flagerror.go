package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/cytorun/cytorun/internal/text"
)

// flagError says what a flag takes in place of how Go failed to read it.
func flagError(err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err
	}
	takes, known := map[string]string{
		"int": "a whole number", "float64": "a number", "duration": "a time such as 90s, 5m or 2h", "bool": "true or false",
	}[invalid.GetFlag().Value.Type()]
	if !known {
		return err
	}
	return fmt.Errorf("--%s takes %s, not %q", invalid.GetFlag().Name, takes, text.Line(invalid.GetValue()))
}
