package main

import (
	"fmt"
	"io"
	"strconv"
)

// readRESP reads one value of RESP2, arrays with all their elements.
func readRESP(in io.Reader) ([]byte, error) {
	line, err := readLine(in)
	if err != nil || len(line) < 3 {
		return line, err
	}
	switch line[0] {
	case '$', '*':
	default:
		return line, nil
	}
	n, err := strconv.Atoi(string(line[1 : len(line)-2]))
	if err != nil {
		return nil, fmt.Errorf("%q: %w", line, err)
	}
	if line[0] == '$' {
		if n < 0 {
			return line, nil
		}
		data := make([]byte, n+2)
		_, err = io.ReadFull(in, data)
		return append(line, data...), err
	}
	for ; n > 0; n-- {
		element, err := readRESP(in)
		if err != nil {
			return nil, err
		}
		line = append(line, element...)
	}
	return line, nil
}
