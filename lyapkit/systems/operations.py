"""The operations of expressions, and how each acts on plain numbers."""

import math
import operator

import numpy as np


def _sigmoid(u):
    e = np.exp(-abs(u))
    return (1.0 if u >= 0.0 else e) / (1.0 + e)


def _sigmoid_slope(u):
    e = np.exp(-abs(u))
    return e / (1.0 + e) ** 2


def _softplus(u):
    return max(u, 0.0) + np.log1p(np.exp(-abs(u)))


def _sech2(u):
    e = np.exp(-2.0 * abs(u))
    return 4.0 * e / (1.0 + e) ** 2


NUMBERS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": np.divide,
    "neg": operator.neg,
    "power": np.power,
    "mod": np.mod,
    "atan2": np.arctan2,
    "sech2": _sech2,
    "sigmoid": _sigmoid,
    "sigmoid_slope": _sigmoid_slope,
    "softplus": _softplus,
    "absolute": abs,
    "sign": np.sign,
    "floor": np.floor,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": math.erf,
}
OF_TWO = ("power", "mod", "atan2")  # functions of two arguments
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
BOOLEANS = (*COMPARISONS, "and_", "or_", "not_")  # give truth values
# what a rule may call by name
FUNCTIONS = [name for name in NUMBERS if name not in ("add", "sub", "mul", "div", "neg")]
