"""x' = -x + relu(W x + b), W = [[0, -1], [-1, 0]], b = (1, 1)."""

from lyapkit.systems.models._line_attractor import as_network, relu_network
from lyapkit.systems.system import model


def _box(parameters):
    """x_i = max(1 - w x_j, 0)."""
    w = parameters["w"]
    if w <= -1.0:
        return None
    return -0.1, 1.1 / (1.0 + min(w, 0.0))


@model(
    "flow",
    "x' = -x + relu(W x + b), W = [[0, -w], [-w, 0]], b = (1, 1)",
    (0.4, 0.3),
    box=_box,
    as_network=as_network(-1.0, 1.0),
)
def bounded_line_attractor_flow(x, w=1.0):
    """A segment of fixed points: x' = -x + relu(W x + b), W = [[0, -w], [-w, 0]], b = (1, 1), tuned at w = 1.

    Every point of x1 + x2 = 1 between the axes rests; exponents 0 and -2. Sagodi, Martin-Sanchez, Sokol & Park,
    arXiv:2408.00109 (2024).

    >>> import lyapkit as lk
    >>> lk.lyapunov_spectrum(lk.systems.bounded_line_attractor_flow()).lyapunov_exponent.values.round(5)
    array([ 0., -2.])
    """
    return relu_network(x, -w, -w, 1.0)
