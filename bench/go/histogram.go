package main

import (
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	stepBits = 6 // 64 linear steps per power of two: a percentile is off by less than 0.8 %
	steps    = 1 << stepBits
	powers   = 42 // up to 73 minutes
)

// histogram holds latencies, HDR style: constant relative error, constant memory. Safe for all callers at once.
type histogram struct {
	buckets [(powers - stepBits + 1) * steps]atomic.Uint64
	largest atomic.Int64
}

func (h *histogram) record(latency time.Duration) {
	h.buckets[bucketOf(uint64(latency))].Add(1)
	for largest := h.largest.Load(); int64(latency) > largest; largest = h.largest.Load() {
		h.largest.CompareAndSwap(largest, int64(latency))
	}
}

func (h *histogram) count() uint64 {
	var count uint64
	for i := range h.buckets {
		count += h.buckets[i].Load()
	}
	return count
}

// percentile is, in µs, the middle of the bucket in which the given share (0 to 1) of all latencies is reached, but
// not above the largest of them.
func (h *histogram) percentile(share float64) float64 {
	wanted := share * float64(h.count())
	var seen uint64
	for i := range h.buckets {
		count := h.buckets[i].Load()
		seen += count
		if count != 0 && float64(seen) >= wanted {
			return min(middleOf(i)/1e3, h.max())
		}
	}
	return 0
}

func (h *histogram) max() float64 { return float64(h.largest.Load()) / 1e3 }

func bucketOf(ns uint64) int {
	ns = min(ns, 1<<powers-1)
	if ns < steps {
		return int(ns)
	}
	shift := bits.Len64(ns) - 1 - stepBits
	return shift*steps + int(ns>>shift)
}

func middleOf(bucket int) float64 {
	if bucket < 2*steps {
		return float64(bucket)
	}
	shift := bucket/steps - 1
	return float64(uint64(bucket-shift*steps)<<shift) + float64(uint64(1)<<shift)/2
}
