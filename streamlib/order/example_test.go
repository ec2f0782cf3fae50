package order_test

import (
	"fmt"
	"log"
	"os"
	"strings"

	"gomosaic/streamlib/order"
)

func ExamplePlan_Work() {
	plan, err := order.NewPlan([]order.Stream{{Sizes: []int{6, 6}}}, order.Args{BatchSize: 2, Shuffle: true, Seed: order.DefaultSeed})
	if err != nil {
		log.Fatal(err)
	}
	world := order.World{Nodes: 1, RanksPerNode: 2, WorkersPerRank: 1}
	work, err := plan.Work(world, plan.Start(world, 0))
	if err != nil {
		log.Fatal(err)
	}
	for rank := range world.Ranks() {
		fmt.Println("rank", rank, work.Worker(rank, 0))
	}
	// Output:
	// rank 0 [8 3 11 0 9 7]
	// rank 1 [2 1 4 6 10 5]
}

func ExampleRunJSON() {
	err := order.RunJSON(strings.NewReader(`{"streams": [{"sizes": [3, 2]}], "args": {"batch_size": 2},
		"world": {"num_nodes": 1, "ranks_per_node": 1, "workers_per_rank": 2}}`), os.Stdout)
	if err != nil {
		log.Fatal(err)
	}
	// Output: {"shape":[1,1,2,2,2],"ids":[0,1,4,-1,2,3,-1,-1]}
}
