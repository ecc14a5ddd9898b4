"""checkpoints: a folder of weights as one Dataset, files that do not load as rows, misuse refused."""

import numpy as np
import pytest

import lyapkit as lk
from lyapkit.flags import ATTRACTOR_KIND, OSCILLATES, STATUS


def turning(gain, theta, blocks=1):
    block = gain * np.array([[np.cos(theta), -np.sin(theta)], [np.sin(theta), np.cos(theta)]])
    return np.kron(np.eye(blocks), block)


def written(folder, **networks):
    """One .npz file of PyTorch's names for each recurrent matrix."""
    for name, weights in networks.items():
        np.savez(folder / f"{name}.npz", weight_hh_l0=weights, weight_ih_l0=np.zeros((len(weights), 1)))
    return folder


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """A training that finds an oscillation, and loses it: rest, circle, two tones, latch, and a damaged file."""
    folder = tmp_path_factory.mktemp("training")
    two_tones = np.block([[turning(1.3, 1.0), np.zeros((2, 2))], [np.zeros((2, 2)), turning(1.3, 0.6)]])
    written(folder, step_2=turning(0.8, 1.0), step_10=turning(1.3, 1.0), step_9=two_tones, step_100=np.diag([2.0, 0.5]))
    (folder / "step_20.npz").write_bytes(b"nothing")
    (folder / "notes.txt").write_text("not a network")
    return folder


@pytest.fixture(scope="module")
def scanned(training):
    return lk.checkpoints(training, n_starts=12)


def test_rows_come_in_natural_order(scanned):
    assert scanned.checkpoint.values.tolist() == [f"step_{n}.npz" for n in (2, 9, 10, 20, 100)]
    assert scanned.training_step.values.tolist() == [2, 9, 10, 20, 100]
    assert scanned.units.values.tolist() == [2, 4, 2, 0, 2]


def test_what_still_oscillates(scanned):
    verdicts = ("no", "yes", "yes", "undecided", "no")
    assert scanned.oscillates.values.tolist() == [OSCILLATES[verdict] for verdict in verdicts]
    assert scanned.moving_share.values[[0, 1, 2, 4]].tolist() == [0, 1, 1, 0]
    kinds = ("fixed_point", "torus", "torus", "undecided", "fixed_point")
    loaded = [0, 1, 2, 4]
    assert scanned.attractor_kind.values[loaded].tolist() == [ATTRACTOR_KIND[kinds[i]] for i in loaded]
    assert scanned.n_attractors.values[loaded].tolist() == [1, 1, 1, 2]
    assert scanned.n_zeros.values[loaded].tolist() == [0, 2, 1, 0]
    assert scanned.share_of_kind.sum("kind_of_attractor").values[loaded] == pytest.approx(1.0)


def test_exponents_are_those_of_each_network(scanned, training):
    assert scanned.lyapunov_exponent[0, :2].values == pytest.approx(np.log([0.8, 0.8]), abs=1e-9)
    assert np.isnan(scanned.lyapunov_exponent[0, 2:]).all()
    block = lk.lyapunov_spectrum(lk.systems.rotation_map(alpha=1.3, theta=1.0)).lyapunov_exponent
    assert scanned.lyapunov_exponent[2, :2].values == pytest.approx(block.values, abs=1e-6)
    network = lk.load_network(training / "step_9.npz")
    found = lk.attractors(network, n_starts=12)
    for name in ("lyapunov_exponent", "basin_share", "signal_growth", "period"):
        assert np.array_equal(found[name][0], scanned[name][1], equal_nan=True), name


def test_a_file_that_does_not_load_is_a_row(scanned):
    assert scanned.status.values.tolist() == [0, 0, 0, STATUS["unreadable"], 0]
    assert scanned.attrs["unreadable"].startswith("step_20.npz: ") and "damaged" in scanned.attrs["unreadable"]
    assert scanned.lyapunov_exponent[3].isnull().all() and scanned.share_of_kind[3].isnull().all()


def test_results_survive_netcdf(scanned, tmp_path):
    lk.save(scanned, tmp_path / "training.nc")
    read = lk.load(tmp_path / "training.nc")
    assert read.equals(scanned) and read.attrs.keys() == scanned.attrs.keys()
    assert read.checkpoint.values.tolist() == scanned.checkpoint.values.tolist()


def test_pattern_prefix_cell_and_input_choose(tmp_path):
    weights = {"rnn.weight_hh_l0": np.array([[0.5]]), "rnn.weight_ih_l0": np.array([[1.0]]), "fc.weight": np.eye(2)}
    np.savez(tmp_path / "a.npz", **weights)
    np.savez(tmp_path / "b_1.npz", **weights)
    with pytest.raises(ValueError, match=r"none of the 2 files.*extra: fc\.weight"):
        lk.checkpoints(tmp_path)
    ds = lk.checkpoints(tmp_path, "rnn_relu", prefix="rnn.", pattern="b_*", input=[0.25], n_starts=3)
    assert ds.checkpoint.values.tolist() == ["b_1.npz"] and ds.training_step == [1]
    assert ds.lyapunov_exponent.values == pytest.approx(np.log([[0.5]]))  # x <- relu(x / 2 + 1 / 4) rests at 1 / 2
    silent = lk.checkpoints(tmp_path, "rnn_relu", prefix="rnn.", pattern="a*", n_starts=3)
    assert np.isnan(silent.training_step).all() and not silent.lyapunov_exponent.equals(ds.lyapunov_exponent)
    flow = lk.checkpoints(tmp_path, "rnn_relu", kind="flow", prefix="rnn.", pattern="a*", input=[0.25], n_starts=3)
    assert flow.lyapunov_exponent.values == pytest.approx(np.array([[-0.5]]))


def test_trained_blocks_still_oscillate(tmp_path):
    """An initialisation, and the same weights shrunk by a training that has gone wrong."""
    ds = lk.block_diagonal_weights(6, cell="gru")
    lk.save_weights(ds, tmp_path / "epoch_0.safetensors")
    lk.save_weights(ds.assign(weight=0.5 * ds.weight), tmp_path / "epoch_1.safetensors", dtype="float32")
    found = lk.checkpoints(tmp_path, "gru", n_starts=3, transient=4000)
    assert found.oscillates.values.tolist() == [OSCILLATES["yes"], OSCILLATES["no"]]
    assert found.n_zeros.values.tolist() == [3, 0]


@pytest.mark.parametrize(
    ("arguments", "keywords", "named"),
    [
        ((3,), {}, "folder: given int"), (("missing",), {}, "folder: given .*missing"),
        ((), {"pattern": "x*"}, "names like x"), ((), {"pattern": ""}, "pattern"), ((), {"n_starts": 0}, "n_starts"),
        ((), {"cell": "lstm"}, "none of the 1 files"), ((), {"kind": "both"}, "kind: given 'both'"),
        ((), {"prefix": "gru."}, "prefix: given 'gru.'"), ((), {"input": [[1.0]]}, "input: given shape"),
        ((), {"input": ["a"]}, "input"), ((), {"margin": -1.0}, "margin"),
    ],
)  # fmt: skip
def test_misuse_is_named(tmp_path, arguments, keywords, named):
    written(tmp_path, a=np.eye(2))
    arguments = arguments or (tmp_path,)
    with pytest.raises((ValueError, TypeError), match=named):
        lk.checkpoints(*arguments, **keywords)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no files; accepted: one with names that end in \.npz"):
        lk.checkpoints(tmp_path)
