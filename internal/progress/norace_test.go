//go:build !race

package progress_test

const unpooled = 0
