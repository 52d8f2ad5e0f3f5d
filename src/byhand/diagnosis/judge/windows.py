"""The stretches of a long run that were recorded, each as a tape of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from byhand.diagnosis.tape.nodes import Const, Node, Tape


@dataclass
class Stretch:
    """Nodes without a gap; what they were made of before is a leaf. `numbers` are the nodes' own on the whole tape."""

    nodes: list[Node]
    names: dict[int, str]
    numbers: list[int]


def stretches(tape: Tape) -> Iterator[Stretch]:
    """The windows of a tape, in the order of time."""
    windows = [(w.start, w.end) for w in tape.windows] or [(0, len(tape.nodes))]
    for start, end in windows:
        if start == 0:
            yield Stretch(tape.nodes[:end], {t: name for t, name in tape.names.items() if t < end}, list(range(end)))
        else:
            yield _renumbered(tape, start, end)


def _renumbered(tape: Tape, start: int, end: int) -> Stretch:
    inside = range(start, end)
    outside = sorted({a for t in inside for a in tape.nodes[t].parents() if a < start})
    number = {t: k for k, t in enumerate([*outside, *inside])}
    nodes = [_node(n, "leaf", (), _made(n)) for n in (tape.nodes[t] for t in outside)]
    for t in inside:
        n = tape.nodes[t]
        nodes.append(_node(n, n.op, tuple(number[a] if type(a) is int else a for a in n.args), n.kw))
    return Stretch(nodes, {number[t]: name for t, name in tape.names.items() if t in number}, [*outside, *inside])


def _node(n: Node, op: str, args: tuple[int | Const, ...], kw: dict[str, Any]) -> Node:
    """A node with another operation: `dataclasses.replace` takes four times as long."""
    return Node(op, args, kw, n.value, n.line, n.site, n.file)


def _made(node: Node) -> dict[str, object]:
    return {"made": node.kw.get("made") if node.op == "leaf" else "earlier"}
