"""One file of a recorded run: the page with the engine's answers in it, to step through without a server."""

import base64
import binascii
import zlib
from typing import Any

import msgspec

from byhand.errors import ByhandError
from byhand.play.engine import respond
from byhand.play.listing import listing
from byhand.play.page import exported
from byhand.play.presets import PRESETS, Preset
from byhand.play.schema import Config, Explain, ListingRequest, Request, Response, State

DEFAULT_EPOCHS = 2000
MAX_SAMPLES = 4
"""Of how many samples of the batch the numbers are recorded."""
MAX_EXPLAINED = 120
"""Of how many units and weights the formulas are recorded; units first."""
MAX_LINK = 1_000_000


class _Run(msgspec.Struct):
    config: Config
    state: State


class _Link(msgspec.Struct):
    """What the page keeps in its address, as far as it matters here."""

    runs: list[_Run]


def export(source: str, epochs: int | None = None) -> str:
    """The page with a recorded run, as HTML.

    The run shows forward, backward and update of the first steps, then every epoch, then ever longer leaps.

    Parameters
    ----------
    source : str
        A preset's id, or a link copied from the page.
    epochs : int, optional
        How far it goes: twenty times the preset's "many" or 2,000 by default.

    Raises
    ------
    ByhandError
        If there is no such preset, the link is damaged, or what it holds doesn't fit together.
    """
    preset, state = _start(source)
    epochs = epochs or min(DEFAULT_EPOCHS, 20 * preset.many)
    state_parameters = None if state is None else state.parameters
    first = respond(Request(preset.config, state, with_data=True, surface=24))
    selected = _worth_seeing(first)
    explained = [selected, *(each for each in _explainable(first) if each != selected)][:MAX_EXPLAINED]
    frames: list[dict[str, Any]] = []
    losses: list[float] = []
    for what, action, count in _moves(epochs):
        answers = _record(preset.config, state, action, count, losses, explained)
        state = answers[0].state
        losses = [*losses, *answers[0].losses][-100:]
        lit = action if action in ("forward", "backward", "update") else None
        frames.append({"what": what, "lit": lit, "answers": [answers[0], *map(_of_sample, answers[1:])]})
        if answers[0].stopped:
            break
    recording = {
        "title": preset.title,
        "look_for": preset.look_for,
        "log_scale": preset.log_scale,
        "config": preset.config,
        "selected": selected,
        "explained": explained,
        "train": first.train,
        "test": first.test,
        "listing": listing(ListingRequest(preset.config, state_parameters, epochs)),
        "frames": frames,
    }
    return exported(msgspec.json.encode(recording))


def preset_named(name: str) -> Preset:
    """The preset of that id.

    Raises
    ------
    ByhandError
        If there is none.
    """
    for preset in PRESETS:
        if preset.id == name:
            return preset
    raise ByhandError(
        f"there is no story {name!r}; there are {', '.join(preset.id for preset in PRESETS)}, "
        "or give a link copied from the page"
    )


def fragment(source: str) -> str:
    """What to put behind the page's address so that it begins with a story or with a link's experiment.

    Raises
    ------
    ByhandError
        If there is no such story, or the link is damaged.
    """
    preset, state = _start(source)
    return f"#preset={preset.id}" if state is None else "#s=" + source.partition("#s=")[2]


def _start(source: str) -> tuple[Preset, State | None]:
    if "#s=" not in source:
        return preset_named(source.rpartition("#preset=")[2]), None
    code = source.partition("#s=")[2]
    try:
        inflate = zlib.decompressobj(-15)
        text = inflate.decompress(base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)), MAX_LINK)
        run = msgspec.json.decode(text, type=_Link).runs[0]
    except (ValueError, IndexError, zlib.error, binascii.Error) as error:
        raise ByhandError("the link is damaged or cut off: copy it again from the page") from error
    sizes = "-".join(map(str, run.config.model.hidden))
    look_for = f"{run.config.data.kind}, hidden units {sizes or 'none'}, {run.config.training.loss.replace('_', ' ')}."
    return Preset("", "A recorded run", look_for, run.config, many=100, log_scale=True), run.state


def _moves(epochs: int) -> list[tuple[str, Any, int]]:
    """What each step is called, its action, and of how many epochs."""
    moves: list[tuple[str, Any, int]] = [("the start", "look", 1)]
    for epoch in range(1, min(3, epochs) + 1):
        moves += [(f"{action}, epoch {epoch}", action, 1) for action in ("forward", "backward", "update")]
    done, leap = min(3, epochs), 1.0
    while done < epochs:
        count = min(int(leap), epochs - done)
        done += count
        moves.append((f"epoch {done}", "epochs", count))
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
        answer = respond(msgspec.structs.replace(request, epochs=part, surface=24, explain=explained))
        passed += answer.losses
        test_losses += answer.test_losses
        state, count = answer.state, count - part
        if count < 1 or answer.stopped or action != "epochs":
            break
    answer = msgspec.structs.replace(answer, losses=passed, test_losses=test_losses)
    samples = range(1, min(MAX_SAMPLES, len(answer.batch)))
    return [answer, *(respond(Request(config, state, sample=i, explain=explained)) for i in samples)]


def _of_sample(answer: Response) -> dict[str, Any]:
    """What differs from sample to sample."""
    return {"sample": answer.sample, "x": answer.x, "y": answer.y, "layers": answer.layers, "formulas": answer.formulas}


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
