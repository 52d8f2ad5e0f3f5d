"""In the sandbox: runs a student's notebook statement by statement, and calls its functions on inputs that are given.

It records; it decides nothing, and it holds nothing of what is right. What would not end is cut after a number of turns
of its loops, whatever the clock says.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import linecache
import random
import types
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from byhand.activations import ACTIVATIONS, Activation
from byhand.diagnosis.sandboxed import Send, pack_value, unpack_value

TURNS, MOST_TURNS = 60_000, 300_000
"""Turns of loops that one statement or call may take, and all together."""
_TICK = "__byhand_turn__"


@dataclass(frozen=True)
class Piece:
    """A cell: its name, its text, the first lines of the statements to run, and the names to tell of afterwards."""

    cell: str
    source: str
    lines: list[int]
    tell: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    """A call of a function: packed arguments, or the name of an activation; names that are set beforehand."""

    function: str
    arguments: list[dict[str, Any] | str]
    names: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Book:
    """What is to be done: run the pieces, tell the values, make the calls."""

    pieces: list[Piece]
    values: dict[str, Any]
    calls: list[Call]


@dataclass(frozen=True)
class Begun:
    """Something is begun: a statement (by cell and line), or a call (by its number)."""

    cell: str
    line: int


@dataclass(frozen=True)
class Stopped:
    """A statement or call that ended with an error, or was cut ("Cut")."""

    cell: str
    line: int
    type: str
    message: str
    lines: list[tuple[str, int]]


@dataclass(frozen=True)
class Value:
    """What a name held when the cell that assigns it was through; None for what is no array of numbers."""

    name: str
    value: dict[str, Any] | None


@dataclass(frozen=True)
class Returned:
    """What a call gave, and which of its arguments it changed."""

    number: int
    value: dict[str, Any] | None
    is_stub: bool
    changed: list[int]


ANSWERS = (Begun, Stopped, Value, Returned)
CALLS = "calls"
"""What `Begun.cell` says of a call; its line is the number."""


class _CutError(BaseException):
    """It took too many turns."""


class _Turns(ast.NodeTransformer):
    """Counts each turn of each loop."""

    def visit_For(self, node: ast.For) -> ast.AST:
        return self._loop(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        return self._loop(node)

    def _loop(self, node: Any) -> ast.AST:
        self.generic_visit(node)
        tick = ast.parse(f"{_TICK}()").body[0]
        for new in ast.walk(tick):
            if "lineno" in new._attributes:
                ast.copy_location(new, node)
        node.body.insert(0, tick)
        return node


class Given:
    """An activation as the practical's notebook uses one: f(z), f.derivative(z)."""

    def __init__(self, activation: Activation) -> None:
        self._activation = activation
        self.__name__ = activation.name

    def __call__(self, z: Any) -> Any:
        """f(z)."""
        return self._activation(z)

    def derivative(self, z: Any) -> Any:
        """f′(z)."""
        return self._activation.derivative(np.asarray(z, dtype=float), self._activation(z))


class _Reader:
    """The student's names, and how far a statement may go."""

    def __init__(self, book: Book, send: Send) -> None:
        self.book, self.send = book, send
        self.left, self.all_left = 0, MOST_TURNS
        self.names: dict[str, Any] = {"__name__": "__main__", _TICK: self.turn}
        self.names |= {name: unpack_value(value) for name, value in book.values.items()}

    def turn(self) -> None:
        """One turn of a loop."""
        self.left -= 1
        self.all_left -= 1
        if self.left < 0 or self.all_left < 0:
            raise _CutError

    @contextlib.contextmanager
    def watched(self, cell: str, line: int) -> Iterator[None]:
        """Tell what is begun, and how it stopped."""
        self.send(Begun(cell, line))
        self.left = TURNS
        before = np.geterr()
        try:
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except _CutError:
            self.send(Stopped(cell, line, "Cut", "it takes too many turns", []))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.send(Stopped(cell, line, type(error).__name__, str(error)[:500], _lines(error)))
        finally:
            np.seterr(**before)

    def run(self) -> None:
        """The pieces, statement by statement."""
        for piece in self.book.pieces:
            linecache.cache[_file(piece.cell)] = (0, None, piece.source.splitlines(True), _file(piece.cell))
            for statement in ast.parse(piece.source).body:
                if statement.lineno in piece.lines:
                    self._statement(statement, piece.cell)
            for name in piece.tell:
                if name in self.names:
                    self.send(Value(name, pack_value(self.names[name])))

    def _statement(self, statement: ast.stmt, cell: str) -> None:
        line = statement.lineno
        module = ast.fix_missing_locations(ast.Module([_Turns().visit(statement)], []))
        with self.watched(cell, line):
            exec(compile(module, _file(cell), "exec"), self.names)

    def calls(self) -> None:
        """The calls, one after the other."""
        for number, call in enumerate(self.book.calls):
            function = self.names.get(call.function)
            if not callable(function):
                continue
            with self.watched(CALLS, number):
                arguments = [self._argument(argument) for argument in call.arguments]
                before = copy.deepcopy([a for a in arguments if not isinstance(a, Given)])
                with self._names_set(function, call.names):
                    random.seed(0)
                    np.random.seed(0)  # noqa: NPY002
                    result = function(*arguments)
                after = [a for a in arguments if not isinstance(a, Given)]
                changed = [k for k, (old, new) in enumerate(zip(before, after, strict=True)) if not _equal(old, new)]
                is_stub = result is None or result is Ellipsis
                self.send(
                    Returned(number, None if is_stub else pack_value(_numbers(result), depth=4), is_stub, changed)
                )

    def _argument(self, argument: Mapping[str, Any] | str) -> Any:
        return Given(ACTIVATIONS[argument]) if isinstance(argument, str) else unpack_value(argument)

    @contextlib.contextmanager
    def _names_set(self, function: Any, names: Mapping[str, Any]) -> Iterator[None]:
        space = function.__globals__ if isinstance(function, types.FunctionType) else self.names
        before = {name: space[name] for name in names if name in space}
        space.update({name: unpack_value(value) for name, value in names.items()})
        try:
            yield
        finally:
            for name in names:
                del space[name]
            space.update(before)


def _file(cell: str) -> str:
    return f"<{cell}>"


def _lines(error: BaseException) -> list[tuple[str, int]]:
    """The lines of the student's that an error went through: cell and line."""
    found, here = [], error.__traceback__
    while here is not None:
        name = here.tb_frame.f_code.co_filename
        if name.startswith("<") and name != "<string>":
            found.append((name[1:-1], here.tb_lineno))
        here = here.tb_next
    return found


def _numbers(result: Any) -> Any:
    """What a function returned, as plain containers of arrays."""
    if isinstance(result, dict):
        return [_numbers(value) for value in result.values()]
    if isinstance(result, list | tuple) and not all(isinstance(v, int | float | np.number) for v in result):
        return [_numbers(value) for value in result]
    return np.asarray(result)


def _equal(old: Any, new: Any) -> bool:
    if isinstance(old, list):
        return len(old) == len(new) and all(_equal(a, b) for a, b in zip(old, new, strict=True))
    return np.array_equal(old, new)


def main(book: Book, send: Send) -> None:
    """Run the pieces, then make the calls."""
    reader = _Reader(book, send)
    reader.run()
    reader.calls()
