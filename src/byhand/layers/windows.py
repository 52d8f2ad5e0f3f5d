"""Windows on images: which numbers a filter or a pool sees, place by place.

An image has shape (height, width, channels). A window of size × size numbers that moves by `stride` over an image with
`padding` zeros around it has ⌊(height + 2 · padding − size) / stride⌋ + 1 places down, and across by the same formula.
What the windows have at one of their size² offsets is, for all places together, a slice of the images: so forward
passes go through the offsets and read these slices, and backward passes go through them and add to the same slices.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np

from byhand._types import Array, Shape


def places(image: Shape, size: int, stride: int, padding: int = 0) -> tuple[int | None, int | None]:
    """How many places windows have, down and across an image of that shape.

    Raises
    ------
    ValueError
        If it is no image, or the window is larger than it.
    """
    if len(image) != 3:
        raise ValueError("takes images of shape (height, width, channels).")
    counts = []
    for length in image[:2]:
        if length is not None and length + 2 * padding < size:
            raise ValueError(f"has windows of {size} × {size}, and {length} + 2 · {padding} is less.")
        counts.append(None if length is None else (length + 2 * padding - size) // stride + 1)
    return counts[0], counts[1]


def slices(shape: tuple[int, ...], size: int, stride: int) -> Iterator[tuple[slice, slice, slice]]:
    """For each offset in the window, row by row: where all windows of a batch of images have that number.

    Parameters
    ----------
    shape : (n, height, width, channels)
    size, stride : int

    Yields
    ------
    index
        ``images[index]`` has shape (n, places down, places across, channels).
    """
    down, across = places(shape[1:], size, stride)
    assert down is not None
    assert across is not None
    for i, j in product(range(size), repeat=2):
        yield (
            slice(None),
            slice(i, i + stride * (down - 1) + 1, stride),
            slice(j, j + stride * (across - 1) + 1, stride),
        )


def pad(x: Array, padding: int) -> Array:
    """The images with so many zeros on each side."""
    if not padding:
        return x
    n, height, width, channels = x.shape
    padded = np.zeros((n, height + 2 * padding, width + 2 * padding, channels), x.dtype)
    padded[:, padding:-padding, padding:-padding] = x
    return padded


def unpad(x: Array, padding: int) -> Array:
    """The images without what `pad` put around them."""
    return x[:, padding:-padding, padding:-padding] if padding else x
