"""Questions and answers as JSON: a question is read into a dataclass and held against the types of its fields.

Plain Python: where the engine runs in a browser, it has NumPy and nothing else.
"""

import json
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from math import inf, isfinite
from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from byhand.errors import ByhandError

T = TypeVar("T")
ANYTHING = r"[\s\S]*"
Check: TypeAlias = Callable[[Any], Any]
"""From a value of JSON to the same as its type has it; raises `MisfitError`."""


@dataclass(frozen=True)
class Limits:
    """How large a number may be, how long a text, a list or an object, and what a text looks like."""

    least: float = -inf
    most: float = inf
    above: float = -inf
    shortest: int = 0
    longest: float = inf
    pattern: str = ANYTHING

    def allow(self, number: float) -> bool:
        """Whether a number is one of these."""
        return self.least <= number <= self.most and number > self.above and isfinite(number)

    def allow_length(self, value: str | list[Any] | dict[str, Any]) -> bool:
        """Whether a text, a list or an object is as long as it may be."""
        return self.shortest <= len(value) <= self.longest

    def __str__(self) -> str:
        bounds = {"from": self.least, "above": self.above, "up to": self.most}
        lengths = {"at least": self.shortest or inf, "at most": self.longest}
        said = [f"{word} {bound:,.15g}" for word, bound in bounds.items() if isfinite(bound)]
        if long := " and ".join(f"{word} {length:,}" for word, length in lengths.items() if isfinite(length)):
            said.append(f"of {long}")
        return " ".join([*said, *([f"like {self.pattern}"] if self.pattern != ANYTHING else [])])


class MisfitError(ByhandError):
    """A question is not what was expected; it says what is, and where in the question."""

    def __init__(self, expected: str, got: object) -> None:
        shown = json.dumps(got)
        super().__init__(f"{expected.strip()} is expected, not {shown if len(shown) <= 40 else shown[:37] + '…'}")
        self.path = ""

    def within(self, part: str | int) -> "MisfitError":
        """The same, told from one level further out."""
        self.path = (f"[{part}]" if isinstance(part, int) else f".{part}") + self.path
        return self

    def __str__(self) -> str:
        return f"question{self.path}: {super().__str__()}"


def encode(value: object) -> bytes:
    """JSON of anything made of dataclasses; a number that is not finite becomes null."""
    try:
        return json.dumps(value, default=vars, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:
        return encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return _finite(vars(value)) if is_dataclass(value) else value


def decoder(kind: type[T]) -> Callable[[bytes | str], T]:
    """What reads a dataclass of that kind from JSON; it raises ValueError where there is no JSON, or `MisfitError`."""
    check = _check(kind)
    return lambda text: check(json.loads(text, parse_constant=_refuse))


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def _check(kind: Any, limits: Limits = Limits()) -> Check:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _check(*parts)
    if origin in (Union, UnionType):
        return _or_null(_check(parts[0], limits))
    if origin is Literal:
        return _choice(parts)
    if origin is list:
        return _vector(limits) if parts == (float,) else _list(_check(*parts), limits)
    if origin is tuple:
        return _pair([_check(part) for part in parts])
    if origin is dict:
        return _object(_check(parts[0]), _check(parts[1]), limits)
    return _record(kind) if is_dataclass(kind) else _scalar(kind, limits)


def _or_null(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _choice(options: tuple[Any, ...]) -> Check:
    def check(value: Any) -> Any:
        if type(value) in kinds and value in options:
            return value
        raise MisfitError(f"one of {', '.join(map(str, options))}", value)

    kinds = set(map(type, options))
    return check


def _scalar(kind: type, limits: Limits) -> Check:
    def number(value: Any) -> Any:
        if (type(value) is int or (type(value) is float and kind is float)) and limits.allow(value):
            return kind(value)
        raise MisfitError(f"a {'whole ' if kind is int else ''}number {limits}", value)

    def text(value: Any) -> str:
        if isinstance(value, str) and limits.allow_length(value) and re.fullmatch(limits.pattern, value):
            return value
        raise MisfitError(f"a text {limits}", value)

    def truth(value: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise MisfitError("true or false", value)

    checks: dict[type, Check] = {str: text, bool: truth}
    return checks.get(kind, number)


def _list(check: Check, limits: Limits) -> Check:
    def check_list(values: Any) -> list[Any]:
        if not isinstance(values, list) or not limits.allow_length(values):
            raise MisfitError(f"a list {limits}", values)
        return [_within(i, check, value) for i, value in enumerate(values)]

    return check_list


def _vector(limits: Limits) -> Check:
    """A list of numbers, checked as a whole: they come in thousands."""

    def check(values: Any) -> list[float]:
        right = isinstance(values, list) and limits.allow_length(values) and {*map(type, values)} <= {int, float}
        if right and all(map(isfinite, values)):
            return [float(value) for value in values]
        raise MisfitError(f"a list of numbers {limits}", values)

    return check


def _pair(checks: list[Check]) -> Check:
    def check(values: Any) -> tuple[Any, ...]:
        if not isinstance(values, list) or len(values) != len(checks):
            raise MisfitError(f"a list of {len(checks)}", values)
        return tuple(_within(i, check, value) for i, (check, value) in enumerate(zip(checks, values, strict=True)))

    return check


def _object(check_name: Check, check_value: Check, limits: Limits) -> Check:
    def check(values: Any) -> dict[str, Any]:
        if not isinstance(values, dict) or not limits.allow_length(values):
            raise MisfitError(f"an object {limits}", values)
        return {check_name(name): _within(name, check_value, value) for name, value in values.items()}

    return check


def _record(kind: Any) -> Check:
    def check(values: Any) -> Any:
        if not isinstance(values, dict):
            raise MisfitError("an object", values)
        if unknown := values.keys() - checks.keys():
            raise MisfitError(f"one of {', '.join(checks)}", min(unknown))
        if missing := required - values.keys():
            raise MisfitError(f"an object with {min(missing)}", values)
        return kind(**{name: _within(name, checks[name], value) for name, value in values.items()})

    types = get_type_hints(kind, include_extras=True)
    checks = {field.name: _check(types[field.name]) for field in fields(kind)}
    required = {field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING}
    return check


def _within(part: str | int, check: Check, value: Any) -> Any:
    try:
        return check(value)
    except MisfitError as error:
        raise error.within(part) from None
