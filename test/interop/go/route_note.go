package main

import (
	"sync"
	"time"

	"github.com/osgochina/dmicro/drpc"
)

// notebook records pushes of this process, in the order their handlers ran.
type notebook struct {
	mu    sync.Mutex
	notes []string
	grew  chan struct{} // closed and replaced at every note
}

var notes = &notebook{grew: make(chan struct{})}

func (b *notebook) add(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes = append(b.notes, text)
	close(b.grew)
	b.grew = make(chan struct{})
}

// atLeast waits until n notes are there. DMicro runs the requests of a session concurrently,
// so a CALL that follows a PUSH may well be handled first.
func (b *notebook) atLeast(n int, limit time.Duration) ([]string, bool) {
	timeout := time.After(limit)
	for {
		b.mu.Lock()
		list, grew := append([]string{}, b.notes...), b.grew
		b.mu.Unlock()
		if len(list) >= n {
			return list, true
		}
		select {
		case <-grew:
		case <-timeout:
			return list, false
		}
	}
}

// Note records a pushed text: /note on a server, /client/note on a client.
func Note(_ drpc.PushCtx, text *string) *drpc.Status {
	notes.add(*text)
	return nil
}

// List returns the notes once there are at least n of them.
func List(_ drpc.CallCtx, n *int) ([]string, *drpc.Status) {
	list, ok := notes.atLeast(*n, patience)
	if !ok {
		return nil, drpc.NewStatus(1408, "too few notes", "waited in vain")
	}
	return list, nil
}
