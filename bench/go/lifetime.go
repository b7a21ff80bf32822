package main

import (
	"encoding/json"
	"io"
	"os"
)

// announce tells the parent that the server is ready.
func announce(address string) {
	_ = json.NewEncoder(os.Stdout).Encode(struct {
		Address string `json:"address"`
		PIDs    []int  `json:"pids"`
	}{address, []int{os.Getpid()}})
}

// untilParentEnds returns when standard input closes, so that no server outlives the run that started it.
func untilParentEnds() { _, _ = io.Copy(io.Discard, os.Stdin) }
