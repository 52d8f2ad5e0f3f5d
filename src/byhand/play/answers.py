"""What a page may ask, by name: how each question is read, and who answers it.

The server answers so, and so does the worker of a page whose engine runs in the browser.
"""

from collections.abc import Callable
from typing import Any

from byhand.errors import ByhandError
from byhand.play import schema
from byhand.play.engine import respond
from byhand.play.landscape import landscape
from byhand.play.listing import listing
from byhand.play.records import encode
from byhand.play.stories import story

QUESTIONS: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], object]]] = {
    "step": (schema.decode_request, respond),
    "listing": (schema.decode_listing_request, listing),
    "landscape": (schema.decode_landscape_request, landscape),
    "story": (schema.decode_story_request, lambda asked: story(asked.id)),
}


def answer(name: str, question: str) -> tuple[bool, str]:
    """Answer a question that is there as JSON.

    Parameters
    ----------
    name : {"step", "listing", "landscape", "story"}
    question : str

    Returns
    -------
    answered : bool
    text : str
        The answer as JSON, or in words why there is none.
    """
    read, work = QUESTIONS[name]
    try:
        return True, encode(work(read(question.encode()))).decode()
    except (ByhandError, ValueError) as error:
        return False, str(error)
