"""When to record: the beginning of each loop, and a few later stretches, counted in events."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from byhand.diagnosis.tape.nodes import Loop, Tape, Window

FIRST, LATER = 3_000, 400  # events: a window isn't closed before, if it has its ticks
MOST_FIRST, MOST_LATER = 15_000, 12_000  # events after which a window is closed at the next tick
MOST_NESTED, MOST_AGAIN = 6_000, 1_500  # the same for a loop inside another, and once more where that was too long
HARD = 2  # times as much, and it is closed at once
TICKS = 3  # complete ticks that a window should hold
LARGE = 0.05  # of the room that there is: a window that takes more is closed when it has its ticks
ALL = 70_000  # events of the whole tape
LONG = 150_000  # the same where each loop's beginning alone is recorded, but three ticks of an outermost one whole
LONGEST = 50_000  # ticks of a window, however little happens in them
MOST_TICKS = 5_000_000  # unrecorded turns after which a loop has no end


class EndlessError(BaseException):
    """A loop that does not end; its line and file."""


class Loops:
    """Which loops run, and which of them ask not to be recorded now.

    Each loop gets an iterator of flags, one a tick: record it or not. The iterator is made of blocks that C code walks
    through, so a stretch that isn't recorded costs next to nothing.

    Parameters
    ----------
    tape : Tape
    pause : callable
        Called when recording stops.
    taken : callable
        The share of the room for numbers that is taken.
    is_long : bool
        For a program whose training is too long for the usual windows: record the beginning of each loop alone, and of
        an outermost one three whole ticks with all loops in them.
    """

    def __init__(
        self, tape: Tape, pause: Callable[[], None], taken: Callable[[], float], *, is_long: bool = False
    ) -> None:
        self.tape, self.pause, self.taken, self.is_long = tape, pause, taken, is_long
        self.on = True
        self.silent = 0  # loops that ask for silence
        self.running: list[int] = []
        self.too_long: set[tuple[int, str]] = set()  # loops inside others that went on after their window was closed
        self.limit = LONG if is_long else MOST_FIRST * HARD
        self.is_over = False
        tape.windows.append(Window(0, 0))

    # The switch

    def silence(self) -> None:
        """One loop more asks for silence."""
        self.silent += 1
        self._stop()

    def sound(self) -> None:
        """One loop less asks for silence."""
        self.silent -= 1
        self._start()

    def stop_here(self) -> None:
        """The window holds far too much: close it in the middle of a tick."""
        self._stop()

    def end(self) -> None:
        """Record no more."""
        self.is_over = True
        self._stop()

    def _stop(self) -> None:
        if self.on:
            self.on = False
            self.tape.windows[-1].end = len(self.tape.nodes)
            self.pause()

    def _start(self) -> None:
        most = LONG if self.is_long else ALL
        if not self.on and not self.silent and not self.is_over and len(self.tape.nodes) < most:
            self.on = True
            self.tape.windows.append(Window(len(self.tape.nodes), len(self.tape.nodes)))
            self.limit = LONG if self.is_long else min(ALL, len(self.tape.nodes) + MOST_LATER * HARD)

    # Loops

    def flags(self, line: int, file: str, length: int | None) -> Iterator[bool]:
        """For each tick of a loop that is entered now, whether to record it."""
        loop = Loop(line, file, len(self.running), 0, length)
        self.tape.loops.append(loop)
        return itertools.chain.from_iterable(self._blocks(loop, len(self.tape.loops) - 1))

    def _blocks(self, loop: Loop, index: int) -> Iterator[Iterable[bool]]:
        self.running.append(index)
        is_silent = False
        block: Any = None
        try:
            for begins in itertools.chain([0], () if self.is_long else later_windows(loop.length)):
                if loop.length is None and begins > MOST_TICKS:
                    break
                if begins > loop.ticks:
                    if not is_silent:
                        is_silent = True
                        self.silence()
                    block = itertools.repeat(False, begins - loop.ticks)
                    loop.ticks = begins
                    yield block
                elif begins:
                    continue
                block = None
                if is_silent:
                    is_silent = False
                    self.sound()
                yield from self._window(loop, index, begins)
            if loop.depth:
                self.too_long.add((loop.line, loop.file))
            if not is_silent:
                is_silent = True
                self.silence()
            most = max(MOST_TICKS, loop.length or 0)
            block = itertools.repeat(False, most)
            loop.ticks += most
            yield block
            block = None
            raise EndlessError(loop.line, loop.file)
        finally:
            if block is not None:
                loop.ticks -= operator.length_hint(block)
            self.running.remove(index)
            if is_silent:
                self.sound()

    def _window(self, loop: Loop, index: int, begins: int) -> Iterator[Iterable[bool]]:
        start, at, held = len(self.tape.nodes), loop.ticks, self.taken()
        nested = MOST_AGAIN if (loop.line, loop.file) in self.too_long else MOST_NESTED
        least = nested if loop.depth else LATER if begins else FIRST
        most = nested if loop.depth else MOST_LATER if begins else MOST_FIRST
        while True:
            loop.ticks += 1
            self._start()  # an earlier tick may have been cut short
            self.tape.windows[-1].ticks[index] = (at, loop.ticks)
            yield (self.on,)
            events = len(self.tape.nodes) - start
            ticks = loop.ticks - at
            is_enough = self.on and self.is_long and (loop.depth > 0 or ticks < TICKS)
            is_enough = not is_enough and (events >= most or (events >= least and ticks >= TICKS))
            is_large = ticks >= TICKS and self.taken() - held > LARGE
            if not self.on or is_enough or is_large or ticks >= LONGEST:
                return


def later_windows(length: int | None) -> Iterator[int]:
    """The ticks at which recording begins again: at ⅛, ¼, ½ and the last few; powers of 8 where nobody knows."""
    if length is None:
        yield from (8**k for k in range(2, 12))
    else:
        yield from (length // 8, length // 4, length // 2, length - TICKS)
