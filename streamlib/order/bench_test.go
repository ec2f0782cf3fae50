package order

import (
	"slices"
	"testing"
)

// BenchmarkStart measures the start-up of an epoch of 10 M samples in 10,000 shards on one rank.
func BenchmarkStart(b *testing.B) {
	sizes := slices.Repeat([]int{1000}, 10_000)
	for _, algo := range []string{"none", "naive", "py1s", "py2s", "py1br", "py1e"} {
		b.Run(algo+"/10M", func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				args := Args{BatchSize: 32, Seed: DefaultSeed}
				if algo != "none" {
					args.Shuffle, args.ShuffleAlgo = true, algo
				}
				plan, err := NewPlan([]Stream{{Sizes: sizes}}, args)
				if err != nil {
					b.Fatal(err)
				}
				world := World{1, 1, 1}
				if _, err := plan.RankWork(world, plan.Start(world, 0), 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
