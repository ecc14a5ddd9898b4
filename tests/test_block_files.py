"""The weights of block_diagonal_weights as mappings and files: read back, by others too, and misuse refused."""

import json
import math

import numpy as np
import pytest

import lyapkit as lk

KINDS = [
    {"kind": "map"}, {"kind": "map", "h": 0.3}, {"kind": "map", "cell": "gru"}, {"kind": "flow"},
    {"kind": "flow", "cell": "gru"},
]  # fmt: skip


@pytest.mark.parametrize("keywords", KINDS)
def test_networks_read_back_move_as_their_blocks(keywords, tmp_path):
    """One step of the network loaded from a file is that of each block's own system."""
    ds = lk.block_diagonal_weights(6, seed=3, **keywords)
    kind, h = keywords["kind"], keywords.get("h")
    for ending in ("npz", "safetensors"):
        path = tmp_path / f"w.{ending}"
        lk.save_weights(ds, path, n_inputs=2)
        network = lk.load_network(path, kind=kind if keywords.get("cell") or not h else "flow")
        network = network if not h or keywords.get("cell") else lk.euler_map(network, h)
        state = 0.3 * np.random.default_rng(0).standard_normal(6)
        end = lk.trajectory(network, initial_state=state, duration=1).state[-1].values
        for block in range(3):
            own = {"alpha": float(ds.alpha[block]), "theta": float(ds.theta[block])}
            if kind == "map":
                one = lk.systems.rotation_euler(**own, h=ds.attrs["h"])
            else:
                gated = keywords.get("cell") == "gru"
                name = "rotation_gru_flow" if gated else "rotation_flow"
                one = getattr(lk.systems, name)(alpha=own["alpha"] * (2 if gated else 1), theta=own["theta"])
            pair = slice(2 * block, 2 * block + 2)
            own_end = lk.trajectory(one, initial_state=state[pair], duration=1).state[-1].values
            assert end[pair] == pytest.approx(own_end, abs=1e-13)


def test_a_gru_keeps_the_step_it_is_given():
    ds = lk.block_diagonal_weights(4, cell="gru", h=0.2)
    network = lk.load_network(lk.torch_weights(ds))
    assert network.parameters["bz"] == pytest.approx(np.full(4, math.log(4.0)))
    one = lk.systems.rotation_euler(alpha=float(ds.alpha[0]), theta=float(ds.theta[0]), h=0.2)
    ends = [
        lk.trajectory(s, initial_state=np.full(s.dimension, 0.2), duration=50).state[-1, :2].values
        for s in (network, one)
    ]
    assert ends[0] == pytest.approx(ends[1], abs=1e-12)


def test_files_are_the_same_for_the_same_seed_and_whole(tmp_path):
    ds = lk.block_diagonal_weights(6, cell="gru", seed=4)
    for ending in ("npz", "safetensors"):
        paths = [tmp_path / f"{name}.{ending}" for name in "ab"]
        for path in paths:
            lk.save_weights(ds, path, n_inputs=3, dtype="float32")
        assert paths[0].read_bytes() == paths[1].read_bytes()
        with pytest.raises(FileExistsError, match="overwrite"):
            lk.save_weights(ds, paths[0], overwrite=False)
    lk.save(ds, tmp_path / "a.nc")
    read = lk.load(tmp_path / "a.nc")
    assert read.identical(ds)
    for name, array in lk.torch_weights(read, n_inputs=3).items():
        assert np.array_equal(array, lk.torch_weights(ds, n_inputs=3)[name])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.nc", "a.npz", "a.safetensors", "b.npz", "b.safetensors"]


def test_safetensors_of_its_own_package(tmp_path):
    package = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    ds = lk.block_diagonal_weights(5, cell="gru", h=0.25, seed=4)
    path = tmp_path / "w.safetensors"
    lk.save_weights(ds, path, n_inputs=2)
    read = package.load_file(path)
    given = lk.torch_weights(ds, n_inputs=2)
    assert read.keys() == given.keys() and all(np.array_equal(read[k], given[k]) for k in given)
    content = path.read_bytes()
    notes = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    assert (notes["cell"], notes["kind"], notes["h"], notes["seed"]) == ("gru", "map", "0.25", "4")


@pytest.mark.parametrize("cell", ["tanh", "gru"])
def test_pytorch_takes_the_weights_and_moves_alike(cell):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    ds = lk.block_diagonal_weights(6, cell=cell, seed=1)
    module = {"tanh": torch.nn.RNN, "gru": torch.nn.GRU}[cell](3, 6).double()
    weights = lk.torch_weights(ds, n_inputs=3)
    module.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    inputs = np.random.default_rng(0).standard_normal((20, 3))
    with torch.no_grad():
        theirs = module(torch.from_numpy(inputs)[:, None])[0][-1, 0].numpy()
    network = lk.load_network(weights, input=inputs)
    ours = lk.trajectory(network, initial_state=np.zeros(6), duration=20).state[-1].values
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_input_weights_are_small_seeded_and_of_the_candidate_alone():
    ds = lk.block_diagonal_weights(200, cell="gru")
    into = lk.torch_weights(ds, n_inputs=50, input_scale=0.3)["weight_ih_l0"]
    assert not into[:400].any()
    assert math.sqrt((into[400:] ** 2).mean() * 50) == pytest.approx(0.3, rel=0.03)  # 10,000 numbers: 0.7 %
    assert not np.array_equal(into, lk.torch_weights(ds, n_inputs=50, input_scale=0.3, seed=1)["weight_ih_l0"])
    assert not lk.torch_weights(ds, input_scale=0.0)["weight_ih_l0"].any()


@pytest.mark.parametrize(
    ("keywords", "named"),
    [
        ({"n_inputs": 0}, "n_inputs"), ({"input_scale": -1.0}, "input_scale"), ({"dtype": "float16"}, "dtype"),
        ({"seed": 1.5}, "seed"),
    ],
)  # fmt: skip
def test_misuse_of_the_mapping_is_named(keywords, named, tmp_path):
    ds = lk.block_diagonal_weights(4)
    with pytest.raises((ValueError, TypeError), match=named):
        lk.torch_weights(ds, **keywords)
    with pytest.raises((ValueError, TypeError), match=named):
        lk.save_weights(ds, tmp_path / "w.npz", **keywords)


def test_other_things_are_no_weights(tmp_path):
    with pytest.raises(TypeError, match="block_diagonal_weights"):
        lk.torch_weights(lk.trajectory(lk.systems.henon(), duration=3))
    with pytest.raises(TypeError, match="dict"):
        lk.torch_weights({})
    with pytest.raises(ValueError, match=r"\.pt"):
        lk.save_weights(lk.block_diagonal_weights(4), tmp_path / "w.pt")
    with pytest.raises(TypeError, match="path"):
        lk.save_weights(lk.block_diagonal_weights(4), None)
