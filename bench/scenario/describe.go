package scenario

import "context"

// Describe is a result that says only what is measured and where: commit, date, machine, versions.
func Describe(ctx context.Context, root string) *Result {
	r := &Result{}
	r.describeHost(ctx, root)
	return r
}
