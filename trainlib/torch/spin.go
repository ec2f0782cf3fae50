package torch

// How libtorch's threads wait for each other.

import "os"

// spinRounds is how often an OpenMP thread looks whether its next work is there before it sleeps. libgomp's own 300,000
// rounds assume that the machine has nothing else to do: where it has, the waiting spin away the time of those they wait
// for. With two busy processes beside it on two cores a training step took 13 times as long. Sleeping early costs a
// quarter more time where nothing else runs.
const spinRounds = "1000"

// calmly runs load, which loads libgomp: that reads its settings once, from the environment. Who has a machine to himself
// sets GOMP_SPINCOUNT=300000 or OMP_WAIT_POLICY=active. Processes started later inherit the user's settings only.
func calmly(load func() error) error {
	const name = "GOMP_SPINCOUNT"
	for _, own := range []string{name, "OMP_WAIT_POLICY"} {
		if os.Getenv(own) != "" {
			return load()
		}
	}
	os.Setenv(name, spinRounds)
	defer os.Unsetenv(name)
	return load()
}
