"""One file of a story or a recorded run: the page with the engine's answers in it, to step through without a server."""

import base64
import json
import zlib
from dataclasses import replace
from typing import Any

from byhand.errors import ByhandError
from byhand.play.engine import respond
from byhand.play.listing import listing
from byhand.play.page import exported
from byhand.play.presets import Preset
from byhand.play.records import MisfitError, encode
from byhand.play.schema import Config, Explain, ListingRequest, Request, Response, State, decode_request
from byhand.play.stories import OUTLINES, preset_of, story

DEFAULT_EPOCHS = 2000
MAX_SAMPLES = 4
"""Of how many samples of the batch the numbers are recorded."""
MAX_EXPLAINED = 120
"""Of how many units and weights the formulas are recorded; units first."""
MAX_LINK = 1_000_000


def export(source: str, epochs: int | None = None) -> str:
    """The page as one HTML file that needs no server.

    A story comes with all its beats. Anything else, or a story's start with a number of `epochs`, is a recorded run:
    the first updates one by one, then every epoch, then ever longer leaps.

    Parameters
    ----------
    source : str
        The id of a story or a start, or a link copied from the page.
    epochs : int, optional
        How far a run goes: 2,000 by default, or as far as its start is worth.

    Raises
    ------
    ByhandError
        If there is no such story, the link is damaged, or what it holds doesn't fit together.
    """
    if epochs is None and source in {outline.id for outline in OUTLINES}:
        return exported(encode({"story": story(source)}))
    preset, state = _start(source)
    epochs = epochs or min(DEFAULT_EPOCHS, preset.many)
    parameters = None if state is None else state.parameters
    first = respond(Request(preset.config, state, with_data=True, surface=24))
    selected = _worth_seeing(first)
    explained = [selected, *(each for each in _explainable(first) if each != selected)][:MAX_EXPLAINED]
    frames: list[dict[str, Any]] = []
    losses: list[float] = []
    for action, count in _moves(epochs, len(first.batch) < len(first.train.x) if first.train else False):
        answers = _record(preset.config, state, action, count, losses, explained)
        state = answers[0].state
        losses = [*losses, *answers[0].losses][-100:]
        frames.append({"answers": [answers[0], *map(_of_sample, answers[1:])]})
        if answers[0].stopped:
            break
    recording = {
        "config": preset.config,
        "selected": selected,
        "explained": explained,
        "train": first.train,
        "test": first.test,
        "listing": listing(ListingRequest(preset.config, parameters, epochs)),
        "frames": frames,
    }
    return exported(encode(recording))


def fragment(source: str) -> str:
    """What to put behind the page's address so that it begins with a story, a start, or a link's experiment.

    Raises
    ------
    ByhandError
        If there is no such story, or the link is damaged.
    """
    if source in {outline.id for outline in OUTLINES}:
        return f"#story={source}"
    preset, state = _start(source)
    return f"#start={preset.id}" if state is None else "#s=" + source.partition("#s=")[2]


def _start(source: str) -> tuple[Preset, State | None]:
    if "#s=" not in source:
        preset = preset_of(source.rpartition("=")[2])
        return preset, None if preset.parameters is None else State(preset.parameters)
    code = source.partition("#s=")[2]
    try:
        inflate = zlib.decompressobj(-15)
        text = inflate.decompress(base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)), MAX_LINK)
        first = json.loads(text)["runs"][0]
        run = decode_request(encode({"config": first["config"], "state": first["state"]}))
    except (LookupError, TypeError, ValueError, MisfitError, zlib.error) as error:
        raise ByhandError("the link is damaged or cut off: copy it again from the page") from error
    sizes = "-".join(map(str, run.config.model.hidden))
    look_for = f"{run.config.data.kind}, hidden units {sizes or 'none'}, {run.config.training.loss.replace('_', ' ')}."
    return Preset("", "A recorded run", look_for, run.config, many=DEFAULT_EPOCHS), run.state


def _moves(epochs: int, has_batches: bool) -> list[tuple[str, int]]:
    """The action of each step, and of how many epochs."""
    moves: list[tuple[str, int]] = [("look", 1)]
    if has_batches:  # one by one at first
        moves += [("update", 1)] * 8
    done, leap = 0, 1.0
    while done < epochs:
        count = min(int(leap), epochs - done)
        done += count
        moves.append(("epochs", count))
        leap *= 1.0 if done < 10 else 1.22
    return moves


def _record(
    config: Config, state: State | None, action: Any, count: int, losses: list[float], explained: list[Explain]
) -> list[Response]:
    """The answer to a step, and the same for the next samples of its batch."""
    passed: list[float] = []
    test_losses: list[float] = []
    while True:
        request = Request(config, state, action, 1, losses=[*losses, *passed][-100:])
        part = min(count, respond(Request(config, state)).max_epochs) if action == "epochs" else 1
        answer = respond(replace(request, epochs=part, surface=24, explain=explained))
        passed += answer.losses
        test_losses += answer.test_losses
        state, count = answer.state, count - part
        if count < 1 or answer.stopped or action != "epochs":
            break
    answer = replace(answer, losses=passed, test_losses=test_losses)
    samples = range(1, min(MAX_SAMPLES, len(answer.batch)))
    return [answer, *(respond(Request(config, state, sample=i, explain=explained)) for i in samples)]


def _of_sample(answer: Response) -> dict[str, Any]:
    """What differs from sample to sample."""
    return {name: getattr(answer, name) for name in ("sample", "x", "y", "layers", "formulas", "nudged")}


def _explainable(first: Response) -> list[Explain]:
    sizes = [first.n_inputs, *(len(layer.z) for layer in first.layers)]
    units = [Explain(layer, unit) for layer, size in enumerate(sizes[1:]) for unit in range(size)]
    weights = [Explain(each.layer, each.unit, i) for each in units for i in range(sizes[each.layer] + 1)]
    return units + weights


def _worth_seeing(first: Response) -> Explain:
    """The unit to begin with: one that something is wrong with, if there is."""
    for finding in first.findings:
        if finding.layer is not None and finding.units:
            return Explain(finding.layer - 1, finding.units[0])
    return Explain(0, 0)
