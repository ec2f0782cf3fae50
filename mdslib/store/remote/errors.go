package remote

// What a service answered, and errors without secrets in them.

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// StatusError is an answer with a status of HTTP that says that a request failed.
type StatusError struct {
	Status     int           // of HTTP
	Code       string        // the service's own word for it, for example NoSuchKey; "" if there is none
	Message    string        // the service's explanation
	RetryAfter time.Duration // how long the server asks to wait; 0 if it does not say
}

// Error implements error.
func (e *StatusError) Error() string {
	text := strconv.Itoa(e.Status) + " " + http.StatusText(e.Status)
	for _, more := range []string{e.Code, e.Message} {
		if more != "" && !strings.Contains(text, more) {
			text += ": " + more
		}
	}
	return text
}

// Is tells that 404 and 410 mean [fs.ErrNotExist], 401 and 403 [fs.ErrPermission], and 412 [ErrChanged].
func (e *StatusError) Is(target error) bool {
	switch e.Status {
	case http.StatusNotFound, http.StatusGone:
		return target == fs.ErrNotExist
	case http.StatusUnauthorized, http.StatusForbidden:
		return target == fs.ErrPermission
	case http.StatusPreconditionFailed:
		return target == ErrChanged
	}
	return false
}

// temporary tells whether the same request may succeed later. Of 5xx all may, those of gateways, 520 to 529, too, but for the
// ones that say that the server can't do it (https://www.iana.org/assignments/http-status-codes).
func (e *StatusError) temporary() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported, http.StatusInsufficientStorage, http.StatusLoopDetected,
		http.StatusNotExtended, http.StatusNetworkAuthenticationRequired:
		return false
	}
	return e.Status >= 500
}

// RetryAfter reads a header of that name: seconds, or a date.
func RetryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(date))
	}
	return 0
}

// failure is an error of a store: its text names the place and shows no secret. What is inside can be asked for by
// errors.Is, but not taken out, for its own text may hold secrets.
type failure struct {
	text  string
	inner error
}

func (f *failure) Error() string        { return f.text }
func (f *failure) Is(target error) bool { return errors.Is(f.inner, target) }

// fail makes the error of an operation on key, "" for none.
func (s *bucket) fail(key string, err error) error {
	text := "store: " + s.name(key) + ": " + err.Error()
	if errors.Is(err, fs.ErrPermission) && s.Credentials != nil {
		text += fmt.Sprintf(" (credentials: %s)", s.Credentials())
	}
	return &failure{Scrub(text, s.Secrets()...), err}
}
