package order

// span is a run of consecutive sample ids [lo, hi): a shard, or the part of one that lies in a canonical node.
type span struct{ lo, hi int }

func (s span) size() int { return s.hi - s.lo }

// shardSpans lays the shards end to end.
func shardSpans(sizes []int) (spans []span, samples int) {
	spans = make([]span, len(sizes))
	for i, size := range sizes {
		spans[i] = span{samples, samples + size}
		samples += size
	}
	return spans, samples
}

// divide cuts spans at the bounds of equal parts, one per canonical node, and returns each part's spans. It overwrites
// spans.
func divide(spans []span, samples, parts int) [][]span {
	divided := make([][]span, parts)
	next, done := 0, 0
	for part := range parts {
		end := samples * (part + 1) / parts
		var own []span
		for ; next < len(spans); next++ {
			s := spans[next]
			if end < done+s.size() {
				if done < end {
					cut := s.lo + end - done
					own = append(own, span{s.lo, cut})
					spans[next].lo = cut
					done = end
				}
				break
			}
			own = append(own, s)
			done += s.size()
		}
		divided[part] = own
	}
	return divided
}

// fill appends the ids of s to ids and returns the grown slice and the new part.
func fill(ids []uint32, s span) (all, part []uint32) {
	from := len(ids)
	for id := s.lo; id < s.hi; id++ {
		ids = append(ids, uint32(id))
	}
	return ids, ids[from:]
}
