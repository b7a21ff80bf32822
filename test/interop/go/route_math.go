package main

import "github.com/osgochina/dmicro/drpc"

// Math proves how a controller is named: type and method become /math/add.
type Math struct{ drpc.CallCtx }

// Add sums; an empty body is a nil slice, hence 0.
func (m *Math) Add(nums *[]int) (int, *drpc.Status) {
	sum := 0
	for _, n := range *nums {
		sum += n
	}
	return sum, nil
}
