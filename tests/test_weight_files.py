"""Files of weights, weights that do not fit, and the command line."""

import json
import math
import time
import warnings

import numpy as np
import pytest
from trained import H, in_f64, keras_names, pytorch_names, refusal, safetensors_bytes

import lyapkit as lk
from lyapkit import cli

# --- files ---


def test_files_and_mappings_are_the_same(tmp_path):
    w = pytorch_names(3, layers=2)
    np.savez(tmp_path / "w.npz", **w)
    np.savez_compressed(tmp_path / "c.npz", **{k: np.asfortranarray(v) for k, v in w.items()})
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(in_f64(w)))
    expected = lk.load_network(w)
    for name in ("w.npz", "c.npz", "w.safetensors"):
        assert lk.load_network(str(tmp_path / name)) == expected


def test_half_precision_is_converted_and_said(tmp_path):
    w = pytorch_names(1)
    halves = {name: array.astype(np.float16) for name, array in w.items()}
    names = "weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0"
    with pytest.warns(UserWarning, match=f"{names} of dtype float16, converted to float64") as caught:
        system = lk.load_network(halves)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(system.parameters["W"], halves["weight_hh_l0"].astype(float))
    upper = {k: (a.astype("<f4").view("<u4") >> 16).astype("<u2") for k, a in w.items()}
    path = tmp_path / "b.safetensors"
    path.write_bytes(safetensors_bytes({k: ("BF16", a.shape, a.tobytes()) for k, a in upper.items()}))
    with pytest.warns(UserWarning, match=f"{names} of dtype bfloat16, converted"):
        system = lk.load_network(path)
    np.testing.assert_allclose(system.parameters["W"], w["weight_hh_l0"], rtol=2**-7)
    assert np.abs(system.parameters["W"] - w["weight_hh_l0"]).max() > 1e-4  # 8 bits are all it has


def test_bfloat16_as_ml_dtypes_has_it(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed")
    halves = {name: array.astype(ml_dtypes.bfloat16) for name, array in pytorch_names(1).items()}
    path = tmp_path / "b.safetensors"
    path.write_bytes(safetensors_bytes({k: ("BF16", a.shape, a.tobytes()) for k, a in halves.items()}))
    with pytest.warns(UserWarning, match="bfloat16"):
        from_file = lk.load_network(path)
    with pytest.warns(UserWarning, match="bfloat16"):
        assert from_file == lk.load_network(halves)
    np.testing.assert_array_equal(from_file.parameters["W"], halves["weight_hh_l0"].astype(float))


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_damaged_files_are_refused(tmp_path, ending):
    """Cut off anywhere, or with any one byte of the first 700 changed: read in the same moment, or refused."""
    w, path = pytorch_names(1), tmp_path / f"w.{ending}"
    np.savez(path, **w) if ending == "npz" else path.write_bytes(safetensors_bytes(in_f64(w)))
    content = path.read_bytes()
    begun = time.monotonic()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        assert str(path) in refusal(path)
    for at in range(min(700, len(content))):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x15]) + content[at + 1 :])
        try:
            lk.load_network(path)
        except (ValueError, TypeError) as error:
            assert "\n" not in str(error) and "accepted: " in str(error)
    assert time.monotonic() - begun < 60


def header_of(entry):
    text = entry if isinstance(entry, bytes) else json.dumps(entry).encode()
    return len(text).to_bytes(8, "little") + text + b"\0" * 16


@pytest.mark.parametrize(
    "content, said",
    [
        ((2**63).to_bytes(8, "little") + b"{}", "a header of 9223372036854775808 bytes in a file of 10"),
        (header_of(b"[" * 100000), "damaged .safetensors header"),
        (header_of([1]), "a JSON object"),
        (header_of({"a": 3}), "a of dtype None"),
        (header_of({"a": {"dtype": "F8_E5M2", "shape": [16], "data_offsets": [0, 16]}}), "F8_E5M2"),
        (header_of({"a": {"dtype": "F64", "shape": [10**12], "data_offsets": [0, 16]}}), "16 bytes"),
        (header_of({"a": {"dtype": "F64", "shape": [-2, -1], "data_offsets": [0, 16]}}), "16 bytes"),
        (header_of({"a": {"dtype": "F64", "shape": [2.0], "data_offsets": [0, 16]}}), "16 bytes"),
        (header_of({"a": {"dtype": "F64", "shape": [2], "data_offsets": [0, 10**15]}}), "accepted: from 0 on"),
        (header_of({"a": {"dtype": "F64", "shape": [1], "data_offsets": [8, 16]}}), "accepted: from 0 on"),
        (header_of({"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}), "16 bytes of arrays"),
        (header_of({"a": {"dtype": "F64", "shape": [2], "data_offsets": "0:16"}}), "two data_offsets"),
        (
            header_of({n: {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]} for n in "ab"}),
            "accepted: from 16 on",
        ),
    ],
)
def test_headers_of_safetensors_are_not_believed(tmp_path, content, said):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    assert said in refusal(path)


def test_no_pickle_is_loaded(tmp_path):
    np.savez(tmp_path / "o.npz", weight_hh_l0=np.array([{}, 1], dtype=object))
    assert "weight_hh_l0 holds objects" in refusal(tmp_path / "o.npz")
    for ending in ("pt", "pth", "ckpt", "bin", "pkl"):
        message = refusal(tmp_path / f"model.{ending}")
        assert 'save_file(model.state_dict(), "model.safetensors")' in message
    assert "'.h5'" in refusal("model.h5") and "''" in refusal("model")
    assert "given int" in refusal(3, TypeError)
    with pytest.raises(FileNotFoundError):
        lk.load_network(tmp_path / "none.npz")


# --- weights that do not fit ---


def changed(weights, **changes):
    """A copy with some arrays exchanged, or left out where None."""
    return {name: array for name, array in (weights | changes).items() if array is not None}


PYTORCH_GRU, KERAS_GRU = pytorch_names(3, layers=2), keras_names(3)


@pytest.mark.parametrize(
    "weights, said",
    [
        (changed(PYTORCH_GRU, bias_hh_l0=None, weight_ih_l1=None), "missing: bias_hh_l0, weight_ih_l1"),
        (PYTORCH_GRU | {"fc.weight": 0, "fc.bias": 0}, "extra: fc.weight, fc.bias"),
        (changed(PYTORCH_GRU, bias_hh_l1=None, head=0), "missing: bias_hh_l1; extra: head"),
        (changed(KERAS_GRU, kernel=None, gamma=0), "missing: kernel; extra: gamma"),
        (KERAS_GRU | {"kernel:0": 0}, "extra: kernel:0"),
        (pytorch_names(1) | {"weight_hh_l7": 0}, "given the layers _l0, _l7"),
        ({"fc.weight": 0, "fc.bias": 0}, "among the names fc.weight, fc.bias"),
        ({}, "among the names (none)"),
        (PYTORCH_GRU | pytorch_names(1, prefix="b."), "prefixes '', 'b.'"),
        (pytorch_names(1, 2, prefix="a1.") | pytorch_names(1, prefix="a2."), "prefixes 'a1.', 'a2.'"),
        (keras_names(3, prefix="gru/") | keras_names(1, prefix="rnn_1/"), "prefixes 'gru/', 'rnn_1/'"),
        (
            keras_names(3, prefix="gru/") | keras_names(3, (2, 3 * H), prefix="gru_1/", inputs=H),
            "layers with reset_after=True and with False",
        ),
        (
            keras_names(3, prefix="gru/") | keras_names(3, prefix="gru_1/"),
            "gru_1/kernel: given shape (2, 9), accepted: (3, 9)",
        ),
        (PYTORCH_GRU | {"weight_hh_l0_reverse": 0}, "bidirectional weights: given weight_hh_l0_reverse"),
        ({f"b/backward_gru/{k}": v for k, v in KERAS_GRU.items()}, "given b/backward_gru/kernel"),
        (PYTORCH_GRU | {"weight_hr_l0": 0}, "projected weights: given weight_hr_l0"),
        (
            changed(PYTORCH_GRU, weight_hh_l0=np.ones((8, 3))),
            "weight_hh_l0: given shape (8, 3), accepted: (3, 3) (rnn), (9, 3) (gru) or (12, 3) (lstm)",
        ),
        (changed(PYTORCH_GRU, weight_hh_l0=np.ones(9)), "given shape (9,), accepted: (1 H, H) (rnn)"),
        (changed(KERAS_GRU, recurrent_kernel=np.ones((3, 8))), "given shape (3, 8), accepted: (3, 3) (rnn)"),
        (
            changed(PYTORCH_GRU, weight_ih_l0=np.ones((8, 2))),
            "given shape (8, 2), accepted: (9, n_inputs), to go with weight_hh_l0 of shape (9, 3)",
        ),
        (
            changed(PYTORCH_GRU, weight_ih_l1=np.ones((9, 4))),
            "(9, 4), accepted: (9, 3), to go with weight_hh_l1 of shape (9, 3) and weight_hh_l0 of shape (9, 3)",
        ),
        (changed(PYTORCH_GRU, bias_hh_l1=np.ones(3)), "bias_hh_l1: given shape (3,), accepted: (9,)"),
        (changed(KERAS_GRU, bias=np.ones((3, 9))), "bias: given shape (3, 9), accepted: (2, 9) or (9,)"),
        (changed(KERAS_GRU, kernel=np.ones((9, 2))), "given shape (9, 2), accepted: (n_inputs, 9)"),
        (changed(PYTORCH_GRU, weight_hh_l1=np.eye(3)), "weight_hh_l1: given shape (3, 3), accepted: (9, 3)"),
    ],
)
def test_names_and_shapes_that_do_not_fit(weights, said):
    assert said in refusal(weights)


def test_cell_that_is_not_there():
    assert "weight_hh_l0: given shape (9, 3), accepted: (12, 3) for cell='lstm'" in refusal(PYTORCH_GRU, cell="lstm")
    assert "(3, 9), accepted: (3, 3) for cell='rnn_relu'" in refusal(KERAS_GRU, cell="rnn_relu")
    assert "cell: given 'GRU'" in refusal(PYTORCH_GRU, cell="GRU")
    assert "kind: given 'ode', accepted: map, flow" in refusal(PYTORCH_GRU, kind="ode")
    assert "kind: given 'flow' for an LSTM" in refusal(pytorch_names(4), kind="flow")
    assert "accepted: (time, 2)" in refusal(PYTORCH_GRU, input=np.zeros((4, 3)))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_not_finite(bad):
    w = pytorch_names(1)
    w["weight_hh_l0"][2, 1] = bad
    assert f"weight_hh_l0: {bad} at index [2, 1]" in refusal(w)


@pytest.mark.parametrize(
    "array, said",
    [
        (np.eye(3) * 1j, "given dtype complex128"),
        (np.eye(3) > 0, "given dtype bool"),
        (np.full((3, 3), None), "given dtype object"),
        ([["a"]], "given dtype str32"),
        ([[1.0], [2.0, 3.0]], "weight_hh_l0: given list"),
    ],
)
def test_arrays_of_other_things(array, said):
    assert said in refusal(pytorch_names(1) | {"weight_hh_l0": array}, TypeError)
    assert "given the name 3" in refusal({3: 1.0}, TypeError)


def test_lists_and_integers_are_accepted():
    w = {"weight_ih": [[1], [2]], "weight_hh": [[0, 1], [1, 0]]}
    with warnings.catch_warnings(action="error"):
        np.testing.assert_array_equal(lk.load_network(w).parameters["W"], [[0.0, 1.0], [1.0, 0.0]])


# --- the command line ---


def test_spectrum_of_weights_on_the_command_line(capsys, tmp_path):
    w, path = pytorch_names(3), tmp_path / "model.safetensors"
    path.write_bytes(safetensors_bytes(in_f64(w)))
    code = cli.main(["spectrum", "--weights", str(path), "--cell", "gru", "--duration", "200", "--quiet"])
    printed = [line.split()[1] for line in capsys.readouterr().out.splitlines()[1 : 1 + H]]
    ds = lk.lyapunov_spectrum(lk.load_network(w), duration=200)
    assert code == cli.OK
    np.testing.assert_allclose(np.array(printed, dtype=float), ds.lyapunov_exponent, rtol=1e-11)


@pytest.mark.parametrize(
    "words, said",
    [
        ([], "system: not given"),
        (["gru_map", "--weights", "w.npz"], "system: given 'gru_map' and --weights"),
        (["gru_map", "--cell", "gru"], "--cell: given without --weights"),
        (["--weights", "w.pt"], "never loaded"),
        (["--weights", "missing.npz"], "missing.npz"),
    ],
)
def test_mistakes_on_the_command_line(capsys, words, said):
    assert cli.main(["spectrum", *words]) == cli.USAGE
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
