// Command genflowers draws the tutorial's flower pictures into a folder and says what it holds.
//
//	go run gomosaic/notebooks/flowers/cmd/genflowers [-images n] [-seed n] folder
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"gomosaic/notebooks/flowers"
)

func main() {
	images := flag.Int("images", 0, "pictures in all (0: the tutorial's number)")
	seed := flag.Uint64("seed", 0, "seed of the drawing (0: the tutorial's)")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: genflowers [-images n] [-seed n] folder")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Arg(0), flowers.Options{Images: *images, Seed: *seed}); err != nil {
		fmt.Fprintln(os.Stderr, "genflowers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, o flowers.Options) error {
	if err := flowers.Generate(ctx, dir, o); err != nil {
		return err
	}
	sentence, err := flowers.Describe(dir)
	if err != nil {
		return err
	}
	fmt.Println(sentence)
	return nil
}
