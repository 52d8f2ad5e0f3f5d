"""A network at a glance: its layers, what comes out of each, and how much each learns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from byhand._types import Shape

if TYPE_CHECKING:
    from rich.console import RenderableType

    from byhand.network import Network


@dataclass(frozen=True)
class Summary:
    """The table that `Network.summary` gives: text when printed, rich in `rich.print`, HTML in a notebook.

    Attributes
    ----------
    rows : list of (number, layer, output, parameters, note)
    total, trainable : int
        The numbers of parameters: all, and those in layers that are not frozen.
    memory : int
        What all parameters take, in bytes.

    Examples
    --------
    >>> from byhand import Network
    >>> of_network = Network.dense([2, 1], "relu", seed=0).summary()
    >>> of_network.total, of_network.rows
    (3, [('1', "Dense(2, 1, 'relu')", '1', '3', '')])
    """

    rows: list[tuple[str, str, str, str, str]]
    total: int
    trainable: int
    memory: int

    _HEAD = ("", "layer", "output", "parameters", "")

    @property
    def foot(self) -> str:
        """How many parameters there are in all."""
        learns = "" if self.trainable == self.total else f", of which {self.trainable:,} learn"
        return f"{self.total:,} parameters{learns}; {self.memory:,} bytes"

    def __str__(self) -> str:
        table: Sequence[tuple[str, ...]] = [self._HEAD, *self.rows]
        number, layer, output, parameters, _ = (max(map(len, column)) for column in zip(*table, strict=True))
        lines = [
            f"{row[0]:<{number}}  {row[1]:<{layer}}  {row[2]:>{output}}  {row[3]:>{parameters}}  {row[4]}".rstrip()
            for row in table
        ]
        return "\n".join([*lines, self.foot])

    def __rich__(self) -> "RenderableType":
        from rich.table import Table

        table = Table(caption=self.foot, caption_justify="left")
        for title, justify in zip(self._HEAD, ("left", "left", "right", "right", "left"), strict=True):
            table.add_column(title, justify=justify)  # type: ignore[arg-type]
        for row in self.rows:
            table.add_row(*row)
        return table

    def _repr_html_(self) -> str:
        from html import escape

        def line(cells: Sequence[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(line(row, "td") for row in self.rows)
        head = line(self._HEAD, "th")
        return f"<table><caption>{self.foot}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"


def summary(network: "Network") -> Summary:
    """The layers of a network, counted from 1, those within others under them, with the shape that comes out.

    Parameters
    ----------
    network : Network

    Returns
    -------
    Summary

    Examples
    --------
    >>> from byhand import Network
    >>> print(summary(Network.dense([2, 1], "relu", seed=0)))
       layer                output  parameters
    1  Dense(2, 1, 'relu')       1           3
    3 parameters; 24 bytes
    """
    rows: list[tuple[str, str, str, str, str]] = []
    shape = network.input_shape
    for number, layer in enumerate(network.layers, 1):
        shape = None if shape is None else layer.output_shape(shape)
        for place, one in layer.walk(str(number)):
            output = "" if one is not layer else "?" if shape is None else _write(shape)
            notes = [f"{name} tied" for name in one._ties] + ["frozen"] * one.frozen
            inside = len(one.layers) > 0
            name = type(one).__name__ if inside else repr(one)
            own = sum(array.size for array in one.parameters.values()) if inside else one.n_parameters
            rows.append((place, "  " * place.count(".") + name, output, f"{own:,}", ", ".join(notes)))
    trainable = sum(
        array.size for _, layer in network.walk() if not layer.frozen for array in layer.parameters.values()
    )
    return Summary(rows, network.parameters.size, trainable, network.parameters.nbytes)


def _write(shape: Shape) -> str:
    return " × ".join("n" if size is None else str(size) for size in shape)
