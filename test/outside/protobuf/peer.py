"""Takes a set of descriptors in hexadecimal on the first line and the name of a message on the second, then reads lines of messages of it. Answers each
with the message's plain form (../codecs/plain-form.ts) and the message written anew."""

import struct
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def plain(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"n{value}"
    if isinstance(value, float):
        if value != value:
            return "fnan"
        bits = struct.pack(">d", value).hex()
        whole = value.is_integer() and abs(value) < 2**53 and bits != "8000000000000000"
        return f"n{int(value)}" if whole else f"f{bits}"
    if isinstance(value, str):
        return f"t{value.encode().hex()}"
    if isinstance(value, bytes):
        return f"b{value.hex()}"
    return members((field.name, member(field, value)) for field, value in value.ListFields())


def members(items):
    return "{" + ",".join(sorted(f"{plain(name)}:{text}" for name, text in items)) + "}"


def member(field, value):
    entry = field.message_type if field.is_repeated and field.message_type else None
    if entry is not None and entry.GetOptions().map_entry:
        return members((str(key).lower() if isinstance(key, bool) else str(key), plain(value[key])) for key in value)
    if field.is_repeated:
        return "[" + ",".join(plain(item) for item in value) + "]"
    return plain(value)


lines = iter(sys.stdin)
pool = descriptor_pool.DescriptorPool()
for file in descriptor_pb2.FileDescriptorSet.FromString(bytes.fromhex(next(lines))).file:
    pool.Add(file)
Message = message_factory.GetMessageClass(pool.FindMessageTypeByName(next(lines).strip()))
for line in lines:
    message = Message.FromString(bytes.fromhex(line))
    print(plain(message), message.SerializeToString(deterministic=True).hex())
