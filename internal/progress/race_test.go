//go:build race

package progress_test

// unpooled are allocations of each activity that come from the race detector: under it a sync.Pool drops things at random.
const unpooled = 8
