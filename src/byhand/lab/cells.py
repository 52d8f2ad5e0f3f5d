"""What the practical's notebook calls: to show a figure, to say an answer, to check a result gently.

A student's notebook starts out empty and has to run all the same. So a check that meets something not written yet
says so and lets the notebook go on; only a wrong result stops it. When nbgrader grades, both stop it.

One voice judges each question. Where the notebook asks `byhand.check`, that is the voice: the numbers that are compared
after it (`comparison`) are facts without a verdict. Elsewhere it is `question`. And what may come from an earlier
mistake is said to.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from byhand.pages import svg_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


ANIMATION = Path(__file__).with_name("animation.html")


class NotDoneYetError(AssertionError):
    """What is checked has not been written yet."""


class WrongResultError(AssertionError):
    """What is checked is there, and wrong. Jupyter shows the message alone: the traceback would lead to us."""

    def _render_traceback_(self) -> list[str]:
        return [f"✗ {self}"]


def show(figure: Figure, alt: str) -> None:
    """Display a matplotlib figure as SVG and close it.

    The text stays text, so that it can be selected, read aloud and take the reader's font; coordinates are rounded
    to a hundredth of a point, which keeps the notebook small; nothing in it depends on the day it was drawn.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    alt : str
        What the figure shows, in a sentence, for those who cannot see it.

    Raises
    ------
    ValueError
        When `alt` is empty.
    """
    import matplotlib.pyplot as plt
    from IPython.display import display

    _check_alt(alt)
    svg = svg_of(figure)
    plt.close(figure)
    display({"image/svg+xml": svg, "text/plain": alt}, metadata={"image/svg+xml": {"alt": alt}}, raw=True)


def animate(draw: Callable[[int], Figure], frames: Iterable[int], alt: str) -> None:
    """Display a figure for each of several moments: the last one, with a slider, and a button that lets them move.

    Nothing moves by itself. The report, which has no JavaScript, leaves it out.

    Parameters
    ----------
    draw : callable
        From a moment, such as an epoch, to its figure.
    frames : iterable of int
        The moments, in order.
    alt : str
        What they show, in a sentence, for those who cannot see it.

    Raises
    ------
    ValueError
        When `alt` is empty.
    """
    from IPython.display import display

    _check_alt(alt)
    images: list[str] = []
    places: list[Any] = []
    for moment in frames:
        buffer, figure = io.BytesIO(), draw(moment)
        if places:  # as in the first, so that nothing but what is drawn moves
            figure.set_layout_engine("none")
            for axes, place in zip(figure.axes, places, strict=True):
                axes.set_position(place)
        figure.savefig(buffer, format="png", dpi=72, metadata={"Software": None})
        places = [axes.get_position() for axes in figure.axes]
        images.append("data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode())
    name = "animation-" + hashlib.sha256(alt.encode()).hexdigest()[:12]
    page = ANIMATION.read_text(encoding="utf-8")
    for hole, filling in (
        ("NAME", name), ("ALT", html.escape(alt)), ("LAST", str(len(images) - 1)), ("IMAGE", images[-1]),
        ("IMAGES", json.dumps(images)),
    ):  # fmt: skip
        page = page.replace(f"@{hole}@", filling)
    display({"text/html": page, "text/plain": alt}, raw=True)


def _check_alt(alt: str) -> None:
    if not alt.strip():
        raise ValueError("alt is empty; say in a sentence what the figure shows")


def say(markdown: str) -> None:
    """Display an answer in words, written in Markdown with formulas between dollar signs.

    Parameters
    ----------
    markdown : str
        The answer; its numbers are best computed and formatted in, so that it holds for every seed.
    """
    from IPython.display import display

    display({"text/markdown": markdown, "text/plain": markdown}, raw=True)


def in_short(markdown: str) -> None:
    """Display the answer to a question in one line; the report begins with these.

    Parameters
    ----------
    markdown : str
        The answer with its number, without a full stop.
    """
    from IPython.display import display

    text = f"**In short:** {markdown}."
    display({"text/markdown": text, "text/plain": text}, metadata={"byhand": {"in_short": markdown}}, raw=True)


_wrong: dict[tuple[int, ...], str] = {}
"""The questions whose numbers are wrong at the moment: from (part, number, step) to the number as it is written."""


@contextmanager
def question(title: str) -> Iterator[None]:
    """Check the answer to one question; say gently when it is not written yet.

    Prints ``✓ title`` when the block ends well, and ``○ title: not done yet (why)`` when it meets a name that is not
    defined, a stub's ``None`` or ``...``, or `NotImplementedError`. After a wrong answer to an earlier question on
    which this one may rest, a wrong result is not held against this one: ``○ title: waits for 2.7``.

    Parameters
    ----------
    title : str
        The question's heading, such as ``"2.11 Which converges the fastest?"``.

    Raises
    ------
    AssertionError
        When a result is wrong; and, while nbgrader grades or validates (it sets ``NBGRADER_EXECUTION``),
        when it is not written yet, so that it earns no points.
    """
    try:
        with _judged(title):
            yield
    except NotDoneYetError as error:
        message = f"{title}: not done yet ({error})"
        if _is_graded():
            raise WrongResultError(message) from None
        print(f"○ {message}")  # noqa: T201
    except AssertionError as error:
        earlier = _may_come_from(title)
        if earlier and not _is_graded():
            print(f"○ {title}: waits for {earlier}, which is not right yet. ({error})")  # noqa: T201
            return
        inherited = f" (this may come from {earlier}, which is wrong, too)" if earlier else ""
        raise WrongResultError(f"{title}: {str(error) or 'wrong result'}{inherited}") from None
    else:
        print(f"✓ {title}")  # noqa: T201


@contextmanager
def comparison(title: str) -> Iterator[None]:
    """Hold the numbers of one question against others', and leave the verdict to `byhand.check`, asked just before.

    Prints how far they agree, or the first that doesn't and which earlier question it may come from. Nothing stops
    the notebook, and nothing is called right or wrong; but while nbgrader grades, it is a `question` like any other.

    Parameters
    ----------
    title : str
        The question's heading, such as ``"2.7 Backward"``.

    Raises
    ------
    AssertionError
        While nbgrader grades or validates, as `question` does.
    """
    if _is_graded():
        with question(title):
            yield
        return
    try:
        with _judged(title):
            yield
    except NotDoneYetError:
        pass  # byhand.check has said so
    except AssertionError as error:
        print(f"  {error}")  # noqa: T201
        if earlier := _may_come_from(title):
            print(f"  That may come from {earlier}, which is not right yet.")  # noqa: T201


@contextmanager
def _judged(title: str) -> Iterator[None]:
    """Keep in mind whether the question is wrong; turn every sign that it is not written yet into one error."""
    place = _place(title)
    _wrong.pop(place, None)
    try:
        yield
    except (NameError, NotImplementedError, NotDoneYetError, TypeError, AttributeError) as error:
        reason = _not_done_yet(error)
        if reason is None:
            raise
        raise NotDoneYetError(reason) from None
    except AssertionError:
        _wrong[place] = title.split()[0]
        raise


def _place(title: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", title.split()[0])))


def _may_come_from(title: str) -> str:
    """The first wrong question before this one on which it may rest: of its part, or for the third of the second."""
    here = _place(title)
    parts = {2, 3} if here[0] == 3 else {here[0]}
    earlier = sorted(place for place in _wrong if place < here and place[0] in parts)
    return _wrong[earlier[0]] if earlier else ""


def _is_graded() -> bool:
    return bool(os.environ.get("NBGRADER_EXECUTION"))


def _not_done_yet(error: Exception) -> str | None:
    """Why the error means that something is still to be written; None when it is a mistake in what is written."""
    match error:
        case NotDoneYetError():
            return str(error)
        case UnboundLocalError():
            return None
        case NameError():
            return f"{error.name} is not defined" if error.name else str(error)
        case NotImplementedError():
            return "it raises NotImplementedError"
        case _ if re.search(r"'?(NoneType|ellipsis)'?", str(error)):
            return "a function still returns None; or is its return missing?"
    return None


def agree(label: str, yours: npt.ArrayLike, reference: npt.ArrayLike, *, rtol: float = 1e-9, atol: float = 0.0) -> None:
    """Check that two arrays of numbers agree, and print by how much they differ.

    The relative difference of two numbers is |yours − reference| / max(|yours|, |reference|). They agree when it is
    at most `rtol`, or when they differ by at most `atol`.

    Parameters
    ----------
    label : str
        What is compared.
    yours : array-like
        The result to check.
    reference : array-like
        What it should be, of the same shape.
    rtol : float, default 1e-9
        The largest relative difference allowed.
    atol : float, default 0
        Differences up to this one are never counted: for numbers that should be 0.

    Raises
    ------
    AssertionError
        When they disagree; the message says where first, with both numbers, or gives both shapes.
    """
    mine, expected = _numbers(label, yours), np.asarray(reference, dtype=float)
    if mine.shape != expected.shape:
        raise WrongResultError(f"{label} has shape {mine.shape}, expected {expected.shape}")
    with np.errstate(invalid="ignore"):  # infinities: equal ones agree, others make a NaN, which is wrong
        difference = np.where(mine == expected, 0.0, np.abs(mine - expected))
        size = np.maximum(np.abs(mine), np.abs(expected))
        relative = np.divide(difference, size, out=np.zeros_like(difference), where=~(difference <= atol))
    wrong = ~(relative <= rtol)
    if wrong.any():
        raise WrongResultError(_disagreement(label, mine, expected, relative, wrong, rtol))
    largest = relative.max(initial=0.0)
    print(f"  {label}: " + (f"largest relative difference {largest:.1e}" if largest else "the same"))  # noqa: T201


def _numbers(label: str, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    try:
        items = np.asarray(values, dtype=object)
        if any(item is None or item is Ellipsis for item in items.flat):
            raise NotDoneYetError(f"{label} is still {'...' if Ellipsis in items.flat else 'None'}")
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise WrongResultError(f"{label} is not an array of numbers: {values!r:.60}") from None


def _disagreement(
    label: str,
    mine: npt.NDArray[np.float64],
    expected: npt.NDArray[np.float64],
    relative: npt.NDArray[np.float64],
    wrong: npt.NDArray[np.bool_],
    rtol: float,
) -> str:
    first = tuple(int(axis[0]) for axis in np.nonzero(wrong)) if mine.ndim else ()
    place = label + (f"[{', '.join(map(str, first))}]" if first else "")
    count = f"; {wrong.sum()} of {wrong.size} numbers differ" if wrong.size > 1 else ""
    return (
        f"{place} is {mine[first]:.10g}, expected {expected[first]:.10g} "
        f"(relative difference {relative[first]:.1e}, allowed {rtol:.1e}){count}"
    )
