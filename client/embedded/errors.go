package embedded

import (
	"errors"
	"fmt"
	"net/http"
)

// apiError is an answer that is no success, in one of the shapes of the original.
type apiError struct {
	status int
	body   any // nil: the HTML page of an uncaught exception
	text   string
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s", e.status, e.text) }

// failure is the shape of the original's domain exceptions:
// {"success":false,"errors":"text"}.
func failure(status int, format string, args ...any) *apiError {
	msg := fmt.Sprintf(format, args...)
	return &apiError{status: status, text: msg, body: map[string]any{"success": false, "errors": msg}}
}

// wrong is WrongArgumentException, 400.
func wrong(format string, args ...any) *apiError {
	return failure(http.StatusBadRequest, format, args...)
}

// conflict is AlreadyExistException, 409.
func conflict(format string, args ...any) *apiError {
	return failure(http.StatusConflict, format, args...)
}

// gone is ObjectNotFoundException inside a command, 404 with the string shape.
func gone(format string, args ...any) *apiError {
	return failure(http.StatusNotFound, format, args...)
}

// notFound is responseNotFound, 404 with the object shape.
func notFound(what string, id any) *apiError {
	return message(http.StatusNotFound, fmt.Sprintf("%s not found with id : %v", what, id))
}

// forbidden is what every refused permission answers.
func forbidden() *apiError {
	return message(http.StatusForbidden, "You are not allowed to do this!")
}

// crash is an exception nobody caught: an HTML page.
func crash(format string, args ...any) *apiError {
	return &apiError{status: http.StatusInternalServerError, text: fmt.Sprintf(format, args...)}
}

func message(status int, msg string) *apiError {
	return &apiError{status: status, text: msg, body: map[string]any{"errors": map[string]any{"message": msg}}}
}

// asAPIError turns any error into an answer; unknown ones are our own fault.
func asAPIError(err error) *apiError {
	var e *apiError
	if errors.As(err, &e) {
		return e
	}
	return crash("%v", err)
}
