"""The wire format of protocol buffers: a message as the list of its fields. Nothing here knows what a field means."""

import struct
from collections.abc import Iterator

from explorer.errors import CheckpointUnreadable

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5  # wire types; 3 and 4 are groups, which ONNX has none of
MAXIMUM_FIELDS = 1_000_000  # of one message
Value = int | memoryview


def fields(message: memoryview) -> Iterator[tuple[int, int, Value]]:
    """Number, wire type and value of each field: a number where it is a varint, else its bytes. Raises CheckpointUnreadable."""
    place, count = 0, 0
    while place < len(message):
        count += 1
        if count > MAXIMUM_FIELDS:
            raise CheckpointUnreadable(f"a message has more than {MAXIMUM_FIELDS:,} fields: large tensors belong into raw_data.")
        tag, place = _varint(message, place)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise CheckpointUnreadable("the file is not ONNX, or it is damaged: a field has the number 0.")
        if kind == VARINT:
            value, place = _varint(message, place)
        elif kind == BYTES:
            length, place = _varint(message, place)
            value, place = _cut(message, place, length)
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            value, place = _cut(message, place, 8 if kind == EIGHT_BYTES else 4)
        else:
            raise CheckpointUnreadable(f"the file is not ONNX, or it is damaged: a field has the wire type {kind}.")
        yield number, kind, value


def integers(kind: int, value: Value) -> list[int]:
    """The numbers of a repeated int64 field, packed or one by one."""
    if kind == VARINT:
        return [_signed(value)]
    found, place = [], 0
    packed = _bytes(kind, value)
    if len(packed) > MAXIMUM_FIELDS * 10:
        raise CheckpointUnreadable(f"a list has more than {MAXIMUM_FIELDS:,} numbers: large tensors belong into raw_data.")
    while place < len(packed):
        number, place = _varint(packed, place)
        found.append(_signed(number))
    return found


def integer(kind: int, value: Value) -> int:
    if kind != VARINT:
        raise CheckpointUnreadable("the file is not ONNX, or it is damaged: expected a number.")
    return _signed(value)


def single(kind: int, value: Value) -> float:
    if kind != FOUR_BYTES:
        raise CheckpointUnreadable("the file is not ONNX, or it is damaged: expected a float.")
    return struct.unpack("<f", value)[0]


def text(kind: int, value: Value, longest: int = 1000) -> str:
    found = _bytes(kind, value)
    if len(found) > longest:
        raise CheckpointUnreadable(f"a name has {len(found):,} bytes: expected at most {longest:,}.")
    return bytes(found).decode("utf-8", "replace")


def message(kind: int, value: Value) -> memoryview:
    return _bytes(kind, value)


def _bytes(kind: int, value: Value) -> memoryview:
    if kind not in (BYTES, FOUR_BYTES, EIGHT_BYTES):
        raise CheckpointUnreadable("the file is not ONNX, or it is damaged: expected bytes.")
    return value


def _cut(given: memoryview, place: int, length: int) -> tuple[memoryview, int]:
    if length > len(given) - place:
        raise CheckpointUnreadable("the file is truncated: a field goes beyond its end. Copy or download it again.")
    return given[place : place + length], place + length


def _varint(given: memoryview, place: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        if place >= len(given):
            raise CheckpointUnreadable("the file is truncated: a number goes beyond its end. Copy or download it again.")
        byte = given[place]
        place += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found & (1 << 64) - 1, place
        shift += 7
        if shift > 63:
            raise CheckpointUnreadable("the file is not ONNX, or it is damaged: a number has more than 64 bits.")


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
