"""What crosses the wall of the sandbox, and how: small dataclasses, written and read in this one place.

A message is MessagePack in a frame: the key of this run, the length, a checksum, the bytes. Code that does not know the
key cannot put a message between ours, and what it writes beside them is found and counted. On arrival each message is
verified against the types of its dataclass: nothing that comes through is trusted to be more than it says.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import GenericAlias
from typing import Any, get_args, get_origin

import numpy as np

from byhand.errors import needs_extra

with needs_extra("check"):
    import msgspec

KEY_BYTES = 16
_HEAD = struct.Struct("<QI")
_NUMBERS = "biufc"

# Taken now, before anybody's code could put something else in their place.
_encoder, _decode, _crc = msgspec.msgpack.Encoder, msgspec.msgpack.decode, zlib.crc32
_array, _generic, _dtype, _frombuffer, _contiguous = (
    np.ndarray,
    np.generic,
    np.dtype,
    np.frombuffer,
    np.ascontiguousarray,
)


class MessageError(ValueError):
    """It is not the message that it should be."""


@dataclass(frozen=True)
class Started:
    """The job is loaded: what happens from now on is its doing, or that of the code that it runs."""


@dataclass(frozen=True)
class Finished:
    """The job returned."""


@dataclass(frozen=True)
class AskedForInput:
    """`input()` was called."""


@dataclass(frozen=True)
class Raised:
    """An exception left the job.

    `lines` are the (file, line number, function) that it went through.
    """

    type: str
    message: str
    traceback: str
    lines: list[tuple[str, int, str]]


OF_THE_SANDBOX = (Started, Finished, AskedForInput, Raised)


def encode(value: Any) -> bytes:
    """Numbers, text, bytes, arrays of numbers, lists, dictionaries and dataclasses of these, as bytes.

    Raises
    ------
    MessageError
        When it holds something else.
    """
    try:
        return _encoder(enc_hook=_plain).encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise MessageError(f"cannot be sent: {error}") from error


def decode(data: bytes, kind: Any = Any) -> Any:
    """What `encode` made bytes of, verified to be of the type `kind`, down to each field and element.

    Raises
    ------
    MessageError
        When it is not.
    """
    try:
        return _decode(data, type=kind, dec_hook=_special)
    except (msgspec.DecodeError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MessageError(f"not a {getattr(kind, '__name__', kind)}: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, _array):
        if value.dtype.kind not in _NUMBERS:
            raise TypeError(f"an array of {value.dtype}")
        return {"dtype": value.dtype.str, "shape": value.shape, "bytes": _contiguous(value).data.tobytes()}
    if isinstance(value, _generic):
        return value.item()
    for kind in (str, int, float):  # a subclass of theirs
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(f"a {type(value).__name__}")


def _special(kind: Any, value: Any) -> Any:
    """An array: `npt.NDArray[np.float64]` takes this dtype only, `np.ndarray` and `npt.NDArray[Any]` any of numbers."""
    if (get_origin(kind) or kind) is not _array:
        raise TypeError(f"a {kind} cannot be received")
    match value:
        case {"dtype": str() as dtype, "shape": list() as shape, "bytes": bytes() as numbers}:
            found = _dtype(dtype)
        case _:
            raise ValueError("not an array")
    wanted = get_args(get_args(kind)[1])[0] if len(get_args(kind)) > 1 else Any
    if found.kind not in _NUMBERS or (isinstance(wanted, type) and not issubclass(found.type, wanted)):
        raise ValueError(f"an array of {dtype!r}")
    if not all(isinstance(n, int) and n >= 0 for n in shape):
        raise ValueError("an array without a shape")
    return _frombuffer(numbers, found).reshape(shape).copy()


def frame(message: Any, key: bytes) -> bytes:
    """A message as it goes over the channel; a dataclass, or a dictionary."""
    body = encode((type(message).__name__, message))
    return key + _HEAD.pack(len(body), _crc(body)) + body


@dataclass(frozen=True)
class Received:
    """What was found on the channel.

    Attributes
    ----------
    messages : list
        Those that are what they should be, in order.
    refused : int
        Those that are not: of an unknown kind, with a field too many, too few or of another type.
    stray_bytes : int
        What belongs to no message: somebody else wrote there.
    """

    messages: list[Any]
    refused: int
    stray_bytes: int


def unframe(data: bytes, key: bytes, kinds: Sequence[type]) -> Received:
    """The messages on the channel that are one of `kinds`; one that was cut off at the end is left out."""
    by_name = {kind.__name__: kind for kind in kinds}
    messages: list[Any] = []
    refused = stray = position = 0
    while position < len(data):
        start = data.find(key, position)
        if start < 0:
            stray += len(data) - position
            break
        stray += start - position
        body = start + len(key) + _HEAD.size
        if body > len(data):
            break
        length, checksum = _HEAD.unpack_from(data, start + len(key))
        if body + length > len(data) and data.find(key, body) < 0:
            break
        packed = data[body : body + length]
        if len(packed) < length or _crc(packed) != checksum:
            stray += body - start
            position = body
            continue
        position = body + length
        try:
            name, _ = decode(packed, tuple[str, msgspec.Raw])
            messages.append(decode(packed, GenericAlias(tuple, (str, by_name[name])))[1])
        except (MessageError, KeyError):
            refused += 1
    return Received(messages, refused, stray)
