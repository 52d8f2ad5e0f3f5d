"""The loss over two of a network's parameters, the others held: the ground that gradient descent walks on."""

import numpy as np

from byhand import losses
from byhand.errors import ByhandError
from byhand.play.data import samples
from byhand.play.engine import initial_network
from byhand.play.schema import Landscape, LandscapeRequest

POINTS = 32
"""Across and up."""


def landscape(request: LandscapeRequest) -> Landscape:
    """The loss on all training samples at a grid of values of two parameters.

    Raises
    ------
    ByhandError
        If there are not as many parameters as the network has, or the two are not two of them.
    """
    data = samples(request.config.data)
    network = initial_network(request.config, data.x_train.shape[1], data.y_train.shape[1])
    if len(request.parameters) != len(network.parameters):
        raise ByhandError(
            f"parameters has {len(request.parameters)} numbers, but this network has {len(network.parameters)}"
        )
    if request.first == request.second or max(request.first, request.second) >= len(network.parameters):
        raise ByhandError(f"two different parameters are needed, each below {len(network.parameters)}")
    loss = losses.get(request.config.training.loss)
    network.parameters[:] = request.parameters
    rows = []
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        for second in np.linspace(*request.second_range, POINTS):
            network.parameters[request.second] = second
            row = []
            for first in np.linspace(*request.first_range, POINTS):
                network.parameters[request.first] = first
                row.append(float(loss.value(network.predict(data.x_train), data.y_train)))
            rows.append(row)
    return Landscape(rows)
