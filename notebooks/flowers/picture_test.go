package flowers

import "testing"

func BenchmarkPicture(b *testing.B) {
	s := Options{}.set()
	i := 0
	for b.Loop() {
		if _, err := s.picture(i); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
