package mdslib

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gomosaic/mdslib/plan"
)

// LabelIndex numbers the classes of a data set: a label's index is its position in Labels.
type LabelIndex struct {
	Labels []string `json:"labels"`
}

// LabelsOf returns the distinct values of a column, a string, sorted by code point. A NULL among them is an error.
func LabelsOf(ctx context.Context, d *DataFrame, column string) (*LabelIndex, error) {
	name := plan.QuoteName(column)
	l := &LabelIndex{Labels: []string{}}
	for s, err := range d.Select("CAST(" + name + " AS STRING) AS label").Distinct().OrderBy("label").Rows(ctx) {
		if err != nil {
			return nil, fmt.Errorf("mdslib: labels of column %q: %w", column, err)
		}
		label, ok := s["label"].(string)
		if !ok {
			return nil, fmt.Errorf("mdslib: labels of column %q: it holds a NULL", column)
		}
		l.Labels = append(l.Labels, label)
	}
	return l, nil
}

// IndexExpr is the expression, a bigint, that gives the index of the label in a column; NULL for an unknown label.
func (l *LabelIndex) IndexExpr(column string) string {
	if len(l.Labels) == 0 {
		return "CAST(NULL AS BIGINT)"
	}
	var b strings.Builder
	b.WriteString("CASE " + plan.QuoteName(column))
	for i, label := range l.Labels {
		b.WriteString(" WHEN " + plan.QuoteString(label) + " THEN " + strconv.Itoa(i) + "L")
	}
	return b.String() + " END"
}

// Index returns the position of a label, -1 if it isn't there.
func (l *LabelIndex) Index(label string) int {
	for i, have := range l.Labels {
		if have == label {
			return i
		}
	}
	return -1
}

// Save writes the labels as JSON, {"labels": [...]}; the file appears whole or not at all.
func (l *LabelIndex) Save(path string) error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return fmt.Errorf("mdslib: save labels: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("mdslib: save labels: %w", err)
	}
	return writeFile(path, append(text, '\n'))
}

// LoadLabels reads what [LabelIndex.Save] wrote.
func LoadLabels(path string) (*LabelIndex, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("mdslib: load labels: %w", err)
	}
	l := &LabelIndex{}
	if err := json.Unmarshal(text, l); err != nil {
		return nil, fmt.Errorf("mdslib: load labels from %s: %w", path, err)
	}
	return l, nil
}

// String lists the labels with their indexes.
func (l *LabelIndex) String() string {
	parts := make([]string, len(l.Labels))
	for i, label := range l.Labels {
		parts[i] = fmt.Sprintf("%d: %s", i, label)
	}
	return strings.Join(parts, ", ")
}
