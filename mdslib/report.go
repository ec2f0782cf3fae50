package mdslib

import (
	"encoding/base64"
	"fmt"
	"html"
	"strings"

	"gomosaic/display"
)

// Report says what a conversion wrote. It prints, travels as JSON, and renders in a notebook.
type Report struct {
	Path        string   `json:"path"`             // the data set's folder or URL
	Remote      string   `json:"remote,omitempty"` // where it was copied to
	Engine      string   `json:"engine"`           // which way it was written
	Columns     Columns  `json:"columns"`
	Compression string   `json:"compression"` // "" for none
	Hashes      []string `json:"hashes,omitempty"`
	Samples     int64    `json:"samples"`
	Shards      int      `json:"shards"`
	RawBytes    int64    `json:"raw_bytes"` // of the shards before compression
	ZipBytes    int64    `json:"zip_bytes"` // of the shards as stored; RawBytes without compression
	Seconds     float64  `json:"seconds"`
	Replaced    bool     `json:"replaced,omitempty"` // an earlier data set lay there

	ResumedSamples int64             `json:"resumed_samples,omitempty"` // of partitions that an earlier attempt had written
	NoMergedIndex  bool              `json:"no_merged_index,omitempty"` // the partitions are data sets of their own
	Partitions     []PartitionReport `json:"partitions"`                // those with samples, in order
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

	ShardBytes    []int64 `json:"shard_bytes"`     // of each shard before compression
	ShardZipBytes []int64 `json:"shard_zip_bytes"` // of each shard as stored
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

// reportColumns is how many columns a report names.
const reportColumns = 50

// facts are the report's lines: name and text.
func (r *Report) facts() [][2]string {
	columns := make([]string, 0, len(r.Columns))
	for i, name := range r.Columns.Names() {
		if i == reportColumns {
			columns = append(columns, fmt.Sprintf("and %s more", grouped(int64(len(r.Columns)-i))))
			break
		}
		columns = append(columns, name+": "+r.Columns[name])
	}
	facts := [][2]string{
		{"written to", r.Path},
		{"samples", grouped(r.Samples)},
		{"columns", strings.Join(columns, ", ")},
		{"shards", grouped(int64(r.Shards)) + " in " + r.partitions()},
		{"bytes", FormatBytes(r.RawBytes)},
		{"time", fmt.Sprintf("%.2f s, %s/s, by %s", r.Seconds, FormatBytes(int64(r.MBPerSecond()*1e6)), r.Engine)},
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
	if r.NoMergedIndex {
		facts = append(facts, [2]string{"index", "one for each partition, none over them all"})
	}
	if r.ResumedSamples > 0 {
		facts = append(facts, [2]string{"resumed", grouped(r.ResumedSamples) + " samples were there from an earlier attempt"})
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

// barsShown is the most shards that the chart draws as bars.
const barsShown = 60

// chart draws the sizes of the shards in their order.
func (r *Report) chart() display.Chart {
	kind := display.Bar
	if r.Shards > barsShown {
		kind = display.Line
	}
	raw := display.Series{Name: "raw", Kind: kind}
	stored := display.Series{Name: "stored", Kind: kind}
	c := display.Chart{ChartOptions: display.ChartOptions{Title: "Shard sizes", Subtitle: r.shardSizes(), X: "shard", Y: "MB", HeightPixels: 220}}
	for _, p := range r.Partitions {
		for i, bytes := range p.ShardBytes {
			at := float64(len(raw.Points))
			raw.Points = append(raw.Points, display.Point{X: at, Y: float64(bytes) / 1e6})
			stored.Points = append(stored.Points, display.Point{X: at, Y: float64(p.ShardZipBytes[i]) / 1e6})
			if kind == display.Bar {
				c.Categories = append(c.Categories, fmt.Sprintf("%d/%d", p.Partition, i))
			}
		}
	}
	c.Series = []display.Series{raw}
	if r.Compression != "" {
		c.Series = append(c.Series, stored)
	}
	return c
}

// shardSizes says how large the shards are before compression.
func (r *Report) shardSizes() string {
	var least, most int64
	for _, p := range r.Partitions {
		for _, bytes := range p.ShardBytes {
			if least == 0 || bytes < least {
				least = bytes
			}
			most = max(most, bytes)
		}
	}
	if least == most {
		return FormatBytes(most) + " each before compression"
	}
	return FormatBytes(least) + " to " + FormatBytes(most) + " before compression"
}

// HTML draws the facts, a chart of the shards' sizes and a table of the partitions.
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
	if r.Shards > 1 {
		c := r.chart()
		fmt.Fprintf(&b, "<img alt=\"%s: %s\" style=\"max-width:100%%;height:auto\" src=\"data:image/svg+xml;base64,%s\">", c.Title, c.Subtitle, base64.StdEncoding.EncodeToString([]byte(c.PlainSVG())))
	}
	fmt.Fprintf(&b, "<details><summary>%s</summary><table><thead><tr><th>folder</th><th>samples</th><th>shards</th><th>raw</th><th>stored</th><th>ratio</th><th>seconds</th><th>rate</th></tr></thead><tbody>\n", r.partitions())
	for _, p := range r.Partitions[:min(len(r.Partitions), partitionsShown)] {
		ratio, rate := 1.0, 0.0
		if p.ZipBytes > 0 {
			ratio = float64(p.RawBytes) / float64(p.ZipBytes)
		}
		if p.Seconds > 0 {
			rate = float64(p.RawBytes) / p.Seconds
		}
		fmt.Fprintf(&b, "<tr><td>%s</td><td>%s</td><td>%d</td><td>%s</td><td>%s</td><td>%.2f</td><td>%.2f</td><td>%s/s</td></tr>\n",
			html.EscapeString(p.Dir), grouped(p.Samples), p.Shards, FormatBytes(p.RawBytes), FormatBytes(p.ZipBytes), ratio, p.Seconds, FormatBytes(int64(rate)))
	}
	b.WriteString("</tbody></table>")
	if n := len(r.Partitions) - partitionsShown; n > 0 {
		fmt.Fprintf(&b, "<p>and %d more</p>", n)
	}
	b.WriteString("</details>")
	return b.String()
}
