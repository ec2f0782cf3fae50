package display_test

import (
	"fmt"
	"os"
	"slices"

	"gomosaic/display"
)

// screen stands for a notebook's front-end.
type screen struct{}

func (screen) Publish(d display.Data, update bool) error {
	fmt.Println(d.Data[display.MIMETypeText])
	return nil
}

func Example() {
	defer display.SetPublisher(screen{})()
	display.Display(display.Markdown("## Results"))
	display.Display(display.Table{
		Columns: []display.Column{{Name: "class", Type: "string"}, {Name: "count", Type: "int64"}},
		Rows:    [][]any{{"daisy", 633}, {"dandelion", 898}},
	})
	// Output:
	// ## Results
	//    class      count
	// 0  daisy        633
	// 1  dandelion    898
	// (2 rows × 2 columns)
}

func ExampleLive() {
	defer display.SetPublisher(screen{})()
	curve := display.Live(display.ChartOptions{Title: "flowers", X: "step", Y: "loss (nats)"})
	for step := range 3 {
		curve.Add("train", 2.4/float64(step+1))
	}
	curve.Close()
	// Output:
	// flowers: train 2.4 (step 1)
	// flowers: train 2.4 → 0.8 (step 3)
	// █▃▁
}

func ExampleChart() {
	losses := display.Chart{
		ChartOptions: display.ChartOptions{Title: "one node and two", X: "epoch", Y: "loss (nats)"},
		Series: []display.Series{
			{Name: "one", Points: display.Points(1.6, 1.1, 0.7, 0.5)},
			{Name: "two", Points: display.Points(1.6, 1.0, 0.6, 0.4)},
		},
	}
	fmt.Println(losses)
	// Output:
	// one node and two: one 1.6 → 0.5, two 1.6 → 0.4 (epoch 3)
	// █▅▂▁ one
	// █▄▂▁ two
}

func ExampleTrack() {
	files := []string{"daisy.jpg", "rose.jpg"}
	os.Setenv("GOMOSAIC_PROGRESS", "off") // a bar's times differ from run to run
	defer os.Unsetenv("GOMOSAIC_PROGRESS")
	for f := range display.Track(slices.Values(files), display.ProgressOptions{Desc: "read", Total: len(files)}) {
		fmt.Println(f)
	}
	// Output:
	// daisy.jpg
	// rose.jpg
}

func ExampleRenderResult() {
	bold := display.HTML("<b>3</b>")
	one, _ := display.RenderResult(bold, nil)
	several, _ := display.RenderResult(3, "three")
	fmt.Println(one.Data[display.MIMETypeHTML])
	fmt.Println(several.Data[display.MIMETypeText])
	// Output:
	// <b>3</b>
	// 3 three
}
