"""The atlas: what it gathers, its figure, and that it goes on where it was stopped."""

import matplotlib as mpl
import numpy as np
import pytest

import lyapkit as lk
from lyapkit.flags import SIGN, STATUS
from lyapkit.scanning import ScanInterrupted
from lyapkit.scanning import atlas as atlas_module

GRID = {"alpha": np.linspace(0.6, 4.0, 7), "theta": np.linspace(0.1, 1.4, 6)}
FLOW = {"system": lk.systems.rotation_flow, "grid": GRID, "progress": False}


@pytest.fixture(scope="module")
def flow():
    return lk.atlas(**FLOW)


def test_it_is_made_of_the_verbs(flow):
    spectrum = lk.scan(lk.lyapunov_spectrum, lk.systems.rotation_flow, GRID, progress=False)
    np.testing.assert_array_equal(flow.lyapunov_exponent, spectrum.lyapunov_exponent)
    counted, undecided = (
        (spectrum.lyapunov_sign == sign).sum("mode").values for sign in (SIGN["zero"], SIGN["undecided"])
    )
    zeros, cyclic = flow.n_zeros.values, np.isfinite(flow.period.values)
    np.testing.assert_array_equal(zeros[~cyclic], counted[~cyclic])
    # of cycles by their multipliers: the same, and where the spectrum leaves one undecided, decided
    assert ((counted <= zeros) & (zeros <= counted + undecided))[cyclic].all() and (zeros[cyclic] == 1).all()
    cycles = lk.hopf_map(**FLOW).orbit_regime.values == 1
    np.testing.assert_array_equal(np.isfinite(flow.period), cycles)
    one = flow.isel(alpha=-1, theta=4)
    cycle = lk.limit_cycle(lk.systems.rotation_flow(alpha=float(one.alpha), theta=float(one.theta)), progress=False)
    assert float(one.period) == float(cycle.period)
    assert float(one.largest_multiplier) == float(cycle.log_abs_multiplier[1])


def test_locked_orbits_of_maps_have_periods():
    ds = lk.atlas(lk.systems.rotation_map, {"alpha": [2.0, 3.0], "theta": [0.3, np.pi / 4, 1.5]}, progress=False)
    # at pi / 4 rounding keeps the symmetry: a cycle of eight; the strong resonance 1:4 beside pi / 2
    np.testing.assert_array_equal(ds.period[:, 1:], [[8, 4], [8, 4]])
    np.testing.assert_array_equal(ds.period[:, 1:], ds.orbit_period[:, 1:])
    assert (ds.largest_multiplier.values[np.isfinite(ds.period)] < 0).all()


def test_an_interrupted_atlas_goes_on(flow, tmp_path, monkeypatch):
    path, calls = tmp_path / "atlas.nc", []

    def interrupted(task, starts, workers, monitor):
        calls.append(1)
        for at in list(starts)[:1]:
            task(at)
        return KeyboardInterrupt()

    monkeypatch.setattr(atlas_module, "run_all", interrupted)
    monkeypatch.setitem(atlas_module._BLOCK, "spectrum", 8)
    with pytest.raises(ScanInterrupted, match="interrupted") as caught:
        lk.atlas(**FLOW, store=path)
    assert "8 of 42" in caught.value.kept
    assert (lk.load(path).status == STATUS["not_computed"]).sum() == 34
    monkeypatch.undo()
    monkeypatch.setattr(atlas_module, "hopf_map", None)  # it is not made again
    ds = lk.atlas(**FLOW, store=path)
    assert ds.identical(flow)
    assert lk.load(path).identical(flow)
    assert lk.atlas(**FLOW, store=path).identical(flow)  # finished
    with pytest.raises(FileExistsError, match="overwrite"):
        lk.atlas(**FLOW | {"grid": GRID | {"theta": GRID["theta"][1:]}}, store=path)
    with pytest.raises(FileExistsError, match="overwrite"):
        lk.atlas(**FLOW, store=path, resume=False)


def test_figure(flow, tmp_path):
    mpl.use("Agg")
    axes = lk.plot.atlas(flow)
    assert [ax.get_title() for ax in axes[1]][2] == "regime"
    assert axes[1, 0].get_xlabel() == r"$\alpha$" and axes[0, 0].get_ylabel() == r"$\theta$ (rad)"
    labels = [text.get_text() for text in axes[0, 0].figure.legends[0].get_texts()]
    assert labels == ["Hopf", "fold"]
    axes[0, 0].figure.savefig(tmp_path / "atlas.png")
    with pytest.raises(ValueError, match="regime"):
        lk.plot.atlas(flow.drop_vars("regime"))


def test_plane_draws_the_curves_of_the_dataset(flow):
    ax = lk.plot.plane(flow, "growth_rate")
    hopf = next(line for line in ax.lines if line.get_label() == "Hopf")
    alpha, theta = hopf.get_data()
    inside = np.isfinite(alpha)
    np.testing.assert_allclose(alpha[inside] * np.cos(theta[inside]), 1.0, atol=1e-10)
    assert not [line for line in lk.plot.plane(flow, "regime", curves=False).lines if line.get_label() == "Hopf"]


@pytest.mark.parametrize(
    ("keywords", "named"),
    [
        ({"grid": {"alpha": [1.0, 2.0]}}, "grid"),
        ({"spectrum": 3}, "spectrum"),
        ({"cycle": {"workers": 2}}, "cycle"),
        ({"regimes": {"starts": 0}}, "starts"),
        ({"workers": 0}, "workers"),
    ],
)
def test_misuse_is_named(keywords, named):
    with pytest.raises((ValueError, TypeError), match=named):
        lk.atlas(**{**FLOW, **keywords})
