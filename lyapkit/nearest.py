"""The hint that goes with an unknown name."""

import difflib


def nearest(name, accepted):
    """ "; nearest: a, b" of the accepted names most like `name`; empty where none is."""
    near = difflib.get_close_matches(name, accepted, n=3, cutoff=0.4)
    return f"; nearest: {', '.join(near)}" if near else ""
