"""What the two line attractors share: a relu network of two units."""

import numpy as np


def relu_network(x, w12, w21, b):
    """-x + relu(W x + b) with W = [[0, w12], [w21, 0]]."""
    return -x[0] + np.maximum(w12 * x[1] + b, 0.0), -x[1] + np.maximum(w21 * x[0] + b, 0.0)


def as_network(sign, b):
    """parameters -> the same system as a network whose weights are free: W = sign [[0, w], [w, 0]]."""

    def network(parameters):
        from lyapkit.systems.models.rnn_flow import rnn_flow  # for those who ask only

        w = sign * parameters["w"]
        return rnn_flow(W=[[0.0, w], [w, 0.0]], b=b, activation="relu")

    return network
