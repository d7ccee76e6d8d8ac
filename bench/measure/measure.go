// Package measure turns samples into numbers that can be compared: medians, ratios, and the CPU time of processes.
package measure

import "slices"

// Median is the middle of xs, the mean of the two middle ones where their number is even, and 0 where there are none. xs stays as it is.
func Median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(xs))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// MedianOf is the median of what of gives for each sample.
func MedianOf[T any](samples []T, of func(*T) float64) float64 {
	xs := make([]float64, len(samples))
	for i := range samples {
		xs[i] = of(&samples[i])
	}
	return Median(xs)
}

// Ratio is a/b, and 0 where b is 0: a result file has to stay valid JSON, which knows no infinity.
func Ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
