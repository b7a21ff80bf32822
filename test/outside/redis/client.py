"""Asks the server at port argv[1] what served.ts has the answers to, with redis-py as it is by default or in the version of the protocol that argv[2]
says, and prints them as JSON."""

import json
import sys

import redis

options = {"protocol": int(sys.argv[2])} if len(sys.argv) > 2 else {}
client = redis.Redis(port=int(sys.argv[1]), decode_responses=True, **options)


def failure(*words):
    try:
        client.execute_command(*words)
        return "no error"
    except redis.ResponseError as error:
        return str(error).removeprefix("ERR ")


answers = {
    "ping": "PONG" if client.ping() else "?",
    "set": "OK" if client.set("k", "v ä") else "?",
    "get": client.get("k"),
    "none": client.get("nothing"),
}
client.set("large", "x" * 2_000_000)
with client.pipeline(transaction=False) as pipe:
    for i in range(100):
        pipe.set(str(i), str(i)).get(str(i))
    piped = pipe.execute()
answers |= {
    "large": len(client.get("large")),
    "size": client.execute_command("SIZE", "y" * 1_000_000),
    "incr": client.incr("n"),
    "list": client.lrange("l", 0, -1),
    "hash": client.hgetall("h"),
    "mixed": client.execute_command("mixed"),
    "fail": failure("fail"),
    "break": failure("Break"),
    "pipeline": ",".join(f"{piped[i * 2 + 1]} {'OK' if piped[i * 2] else '?'}" for i in range(100)),
    "unknown": failure("NoSuch", "x"),
    "still": "PONG" if client.ping() else "?",
}
print(json.dumps(answers))
