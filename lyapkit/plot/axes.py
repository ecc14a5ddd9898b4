"""The Axes a plot draws on, and what plots ask of a Dataset."""

import numpy as np

# Dims that verbs make; all others are parameters that were scanned.
_OF_VERBS = frozenset(
    "mode other_mode time unit phase point block delay sample direction dtype checkpoint parameter q".split()
)  # fmt: skip


def new_or_given(ax, width=5.2, height=4.2):
    """`ax`, or the Axes of a new figure (inches)."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt  # chooses a backend, so only where a figure is wanted

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def variable_of(ds, variable):
    """ds[variable] if it can be drawn; ValueError names what is there otherwise."""
    if not hasattr(ds, "data_vars"):
        raise TypeError(f"ds: given {type(ds).__name__}, accepted: an xarray.Dataset of a verb or a scan")
    if variable not in ds.data_vars:
        known = ", ".join(map(str, ds.data_vars))
        raise ValueError(f"variable: given {variable!r}, accepted: {known}")
    return ds[variable]


def grid_dims(data):
    """The dims of a variable that are scanned parameters, in grid order."""
    return [dim for dim in data.dims if dim not in _OF_VERBS]


def at_mode(data, mode):
    """The values at one mode; a variable without modes takes the default 1 alone."""
    if "mode" not in data.dims:
        if mode != 1:
            raise ValueError(f"mode: given {mode!r}, but {data.name} has no modes; accepted: 1")
        return data
    if isinstance(mode, bool) or mode not in data.mode.values:
        last = int(np.max(data.mode))
        raise ValueError(f"mode: given {mode!r}, accepted: a whole number from 1 to {last}")
    return data.sel(mode=mode)


def check_choice(name, value, accepted):
    """Refuse a value that is not one of those accepted."""
    if not any(value is one or value == one for one in accepted):
        raise ValueError(f"{name}: given {value!r}, accepted: {', '.join(map(repr, accepted))}")
