"""Arrays of nodes: NumPy notation in rules (`W @ x`, np.maximum, np.where) acts on them elementwise."""

import numpy as np

from lyapkit.systems import expression, notation
from lyapkit.systems.expression import Node, Untraceable


class NodeArray(np.ndarray):
    """An object array of nodes and numbers.

    NumPy's own loops over objects would ask nodes for their truth (maximum) or for a method; here each
    ufunc with a traced form is applied element by element.
    """

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        plain = [v.view(np.ndarray) if isinstance(v, NodeArray) else v for v in inputs]
        traced = notation.UFUNCS.get(ufunc.__name__)
        if method == "__call__" and traced and not keywords:
            return _elementwise(traced, ufunc, plain)
        if method == "__call__" and ufunc.signature is None and not traced:
            raise Untraceable(f"np.{ufunc.__name__} has no traced form")
        return _as_nodes(getattr(ufunc, method)(*plain, **keywords))

    def __array_function__(self, function, types, args, keywords):
        if function is np.where and len(args) == 3:
            return _elementwise(expression.where, np.where, [_plain(a) for a in args])
        return super().__array_function__(function, types, args, keywords)


def _plain(value):
    return value.view(np.ndarray) if isinstance(value, NodeArray) else value


def _elementwise(traced, otherwise, arguments):
    def one(*values):
        return (traced if any(isinstance(v, Node) for v in values) else otherwise)(*values)

    boxed = [expression.boxed(a) for a in arguments]
    return _as_nodes(np.frompyfunc(one, len(boxed), 1)(*boxed))


def _as_nodes(result):
    return result.view(NodeArray) if isinstance(result, np.ndarray) and result.ndim else result
