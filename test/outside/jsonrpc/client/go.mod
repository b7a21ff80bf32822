module client

go 1.24

require github.com/sourcegraph/jsonrpc2 v0.2.1
