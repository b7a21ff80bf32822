"""Asks the server at port argv[1] what served.ts has the answers to, with jsonrpcclient over one connection, and prints them as JSON."""

import json
import socket
import sys

from jsonrpcclient import Ok, notification, parse, request

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection, connection.makefile("rw", newline="\n") as lines:

    def send(message):
        print(json.dumps(message), file=lines, flush=True)

    def ask(method, params):
        send(request(method, params))
        return parse(json.loads(next(lines)))

    batch = [
        request("subtract", [42, 23], id="a"),
        notification("note", [1]),
        request("echo", ["seven"], id=7),
        request("missing", [], id="b"),
    ]
    send(batch)
    answered = list(parse(json.loads(next(lines))))
    send(notification("note", {"x": 1}))
    sold = ask("sell", [])
    answers = {
        "position": ask("subtract", [42, 23]).result,
        "name": ask("subtract", {"subtrahend": 23, "minuend": 42}).result,
        "echo": ask("echo", ["ä水\n", [None, 1.5, {"a": True}]]).result,
        "size": ask("size", ["y" * 1_000_000]).result,
        "nothing": ask("nothing", []).result,
        "missing": ask("missing", []).code,
        "sell": [sold.code, sold.message],
        "batch": {
            str(answer.id): (answer.result[0] if isinstance(answer.result, list) else answer.result) if isinstance(answer, Ok) else answer.code
            for answer in answered
        },
        "noted": ask("noted", []).result,
    }
print(json.dumps(answers))
