package mdslib

import "strings"

// SparkError is an error that Spark reports: of an expression, a table that isn't there, or a task that failed.
type SparkError struct {
	// Class is Spark's name of the error, such as TABLE_OR_VIEW_NOT_FOUND; "" where Spark gives none.
	Class string
	// SQLState is the code of the SQL standard, such as 42P01, or "".
	SQLState string
	// Message is what Spark says, without the plan and the Java stack that it may add.
	Message string
	// Causes are the messages of the errors behind this one, the first cause last.
	Causes []string
}

// Error gives the message, which begins with the class, and each cause that it does not say already, a line each.
func (e *SparkError) Error() string {
	said := e.Message
	if e.Class != "" && !strings.Contains(said, e.Class) {
		said = "[" + e.Class + "] " + said
	}
	if e.SQLState != "" && !strings.Contains(said, e.SQLState) {
		said += " SQLSTATE: " + e.SQLState
	}
	said = "spark: " + said
	for _, cause := range e.Causes {
		if !strings.Contains(said, cause) {
			said += "\ncaused by: " + cause
		}
	}
	return said
}
