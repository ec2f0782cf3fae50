package mdslib

import (
	"fmt"
	"html"
	"strings"
)

// Report says what a conversion wrote. It prints, travels as JSON, and renders in a notebook.
type Report struct {
	Path        string            `json:"path"`             // the data set's folder or URL
	Remote      string            `json:"remote,omitempty"` // where it was copied to
	Engine      string            `json:"engine"`           // which way it was written
	Columns     Columns           `json:"columns"`
	Compression string            `json:"compression"` // "" for none
	Hashes      []string          `json:"hashes,omitempty"`
	Samples     int64             `json:"samples"`
	Shards      int               `json:"shards"`
	RawBytes    int64             `json:"raw_bytes"` // of the shards before compression
	ZipBytes    int64             `json:"zip_bytes"` // of the shards as stored; RawBytes without compression
	Seconds     float64           `json:"seconds"`
	Replaced    bool              `json:"replaced,omitempty"` // an earlier data set lay there
	Partitions  []PartitionReport `json:"partitions"`         // those with samples, in order
}

// PartitionReport says what one partition became.
type PartitionReport struct {
	Partition int     `json:"partition"`
	Dir       string  `json:"dir"` // folder below the data set's
	Samples   int64   `json:"samples"`
	Shards    int     `json:"shards"`
	RawBytes  int64   `json:"raw_bytes"`
	ZipBytes  int64   `json:"zip_bytes"`
	Seconds   float64 `json:"seconds"`
}

// MBPerSecond is the rate of raw bytes, in units of 10⁶.
func (r *Report) MBPerSecond() float64 {
	if r.Seconds <= 0 {
		return 0
	}
	return float64(r.RawBytes) / 1e6 / r.Seconds
}

// Ratio is RawBytes / ZipBytes.
func (r *Report) Ratio() float64 {
	if r.ZipBytes == 0 {
		return 1
	}
	return float64(r.RawBytes) / float64(r.ZipBytes)
}

// partitions counts the partitions in words.
func (r *Report) partitions() string {
	if len(r.Partitions) == 1 {
		return "1 partition"
	}
	return grouped(int64(len(r.Partitions))) + " partitions"
}

// facts are the report's lines: name and text.
func (r *Report) facts() [][2]string {
	columns := make([]string, 0, len(r.Columns))
	for _, name := range r.Columns.Names() {
		columns = append(columns, name+": "+r.Columns[name])
	}
	facts := [][2]string{
		{"written to", r.Path},
		{"samples", grouped(r.Samples)},
		{"columns", strings.Join(columns, ", ")},
		{"shards", grouped(int64(r.Shards)) + " in " + r.partitions()},
		{"bytes", FormatBytes(r.RawBytes)},
		{"time", fmt.Sprintf("%.2f s, %.0f MB/s, by %s", r.Seconds, r.MBPerSecond(), r.Engine)},
	}
	if r.Compression != "" {
		facts[4][1] += fmt.Sprintf(", %s with %s (%.2f : 1)", FormatBytes(r.ZipBytes), r.Compression, r.Ratio())
	}
	if len(r.Hashes) > 0 {
		facts = append(facts, [2]string{"hashes", strings.Join(r.Hashes, ", ")})
	}
	if r.Remote != "" {
		facts = append(facts, [2]string{"copied to", r.Remote})
	}
	if r.Replaced {
		facts = append(facts, [2]string{"replaced", "the data set that lay there"})
	}
	return facts
}

// String lists the report's facts, one a line.
func (r *Report) String() string {
	var b strings.Builder
	for _, f := range r.facts() {
		fmt.Fprintf(&b, "%-10s  %s\n", f[0], f[1])
	}
	return b.String()
}

// partitionsShown bounds the table of partitions in a notebook.
const partitionsShown = 50

// HTML draws the facts and a table of the partitions.
func (r *Report) HTML() string {
	var b strings.Builder
	b.WriteString("<table><tbody>")
	for _, f := range r.facts() {
		fmt.Fprintf(&b, "<tr><th style=\"text-align:left\">%s</th><td style=\"text-align:left\">%s</td></tr>\n", f[0], html.EscapeString(f[1]))
	}
	b.WriteString("</tbody></table>")
	if len(r.Partitions) == 0 {
		return b.String()
	}
	fmt.Fprintf(&b, "<details><summary>%s</summary><table><thead><tr><th>folder</th><th>samples</th><th>shards</th><th>raw</th><th>stored</th><th>seconds</th></tr></thead><tbody>\n", r.partitions())
	for _, p := range r.Partitions[:min(len(r.Partitions), partitionsShown)] {
		fmt.Fprintf(&b, "<tr><td>%s</td><td>%s</td><td>%d</td><td>%s</td><td>%s</td><td>%.2f</td></tr>\n",
			html.EscapeString(p.Dir), grouped(p.Samples), p.Shards, FormatBytes(p.RawBytes), FormatBytes(p.ZipBytes), p.Seconds)
	}
	b.WriteString("</tbody></table>")
	if n := len(r.Partitions) - partitionsShown; n > 0 {
		fmt.Fprintf(&b, "<p>and %d more</p>", n)
	}
	b.WriteString("</details>")
	return b.String()
}
