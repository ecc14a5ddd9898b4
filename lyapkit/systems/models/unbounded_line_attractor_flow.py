"""x' = -x + relu(W x), W = [[0, 1], [1, 0]]."""

from lyapkit.systems.models._line_attractor import as_network, relu_network
from lyapkit.systems.system import model


def _box(parameters):
    """The origin alone, unless w = 1."""
    return None if parameters["w"] == 1.0 else (-1.0, 1.0)


@model("flow", "x' = -x + relu(W x), W = [[0, w], [w, 0]]", (0.4, 0.3), box=_box, as_network=as_network(1.0, 0.0))
def unbounded_line_attractor_flow(x, w=1.0):
    """A half-line of fixed points: x' = -x + relu(W x), W = [[0, w], [w, 0]], tuned at w = 1.

    Every point of x1 = x2 >= 0 rests; exponents 0 and -2. Sagodi, Martin-Sanchez, Sokol & Park, arXiv:2408.00109
    (2024).

    >>> import lyapkit as lk
    >>> lk.lyapunov_spectrum(lk.systems.unbounded_line_attractor_flow()).lyapunov_exponent.values.round(5)
    array([ 0., -2.])
    """
    return relu_network(x, w, w, 0.0)
