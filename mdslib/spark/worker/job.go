package worker

// Jobs and results: what a task is told, and what it says when it is done.

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// Job tells a task how to write the rows of its partition. It travels as a file of JSON, which lists of processes do not show.
type Job struct {
	Schema plan.Schema `json:"schema"` // of the rows
	// Texts says how the value of each field is written where rows come as text. Of Arrow only [TextFile] counts.
	Texts []Text `json:"texts"`
	// Options are the writers'. Out and Remote are the folders below which each task has one of its own; Columns and
	// Compression are resolved.
	Options mdslib.MDSOptions `json:"options"`
	// Token is what the names of this conversion's folders have in common and no others have.
	Token string `json:"token"`
	// Marker is the key, below Out or Remote, of an empty object that the driver made: an executor that lacks it does not see what
	// the driver does, and a task that finds it gone is not wanted any more. "" is none.
	Marker string `json:"marker,omitempty"`
	// SkipInvalid leaves rows out that can't be encoded; the result lists them.
	SkipInvalid bool `json:"skip_invalid,omitempty"`
	// Exchange is set where the tasks read Parquet files themselves.
	Exchange *Exchange `json:"exchange,omitempty"`
}

// Text is how a value is written in text.
type Text string

const (
	TextPlain  Text = "plain"  // numbers, booleans, timestamps without time zone: as Spark casts them
	TextDays   Text = "days"   // a date: days since 1970-01-01
	TextMicros Text = "micros" // a timestamp: microseconds since 1970-01-01 UTC
	TextBase64 Text = "base64" // text and bytes
	TextJSON   Text = "json"   // arrays, maps and structs, as [JSONOptions] says
	TextFile   Text = "file"   // bytes: those of a file, by its path in base64, or in Arrow as text
)

// Result is what a task reports: one JSON object in a line.
type Result struct {
	mdslib.PartitionReport        // Dir is the task's own folder
	Invalid                []Left `json:"invalid,omitempty"`
	Host                   string `json:"host"`
	PeakBytes              int64  `json:"peak_bytes"` // of the process's memory
}

// Left is a row that was left out.
type Left struct {
	Row    int64  `json:"row"` // in the partition, from 0
	Column string `json:"column"`
	Error  string `json:"error"`
}

// mostLeft is how many rows a task leaves out before it gives up: their errors are kept until its end.
const mostLeft = 1000

// ErrNotShared is the beginning of the error of a task on a machine that does not share the folder with the driver's.
const ErrNotShared = "this executor does not see"

// ReadJob reads a job. A field that jobs do not have is an error: a driver of another version must not be half understood.
func ReadJob(file string) (*Job, error) {
	var j Job
	if err := readStrictly(file, &j); err != nil {
		return nil, err
	}
	switch {
	case len(j.Schema.Fields) == 0 || len(j.Texts) != len(j.Schema.Fields):
		return nil, fmt.Errorf("the job: %d fields, %d texts", len(j.Schema.Fields), len(j.Texts))
	case j.Token == "":
		return nil, errors.New("the job has no token")
	}
	return &j, nil
}

// readStrictly reads the JSON of a job, which has no fields that job lacks.
func readStrictly(file string, job any) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("the job: %w", err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(job); err != nil {
		return fmt.Errorf("the job: %w", err)
	}
	return nil
}
