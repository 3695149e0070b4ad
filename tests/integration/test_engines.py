"""The engines themselves: what they compute, what they refuse, and what they must not bring along."""

import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper
from tests.model_folders import expected_probabilities, write_model_folder

from iraas.errors import ConfigurationError
from iraas.models.catalog import load_model

ENGINES = ("openvino", "onnxruntime")
OWN = [
    {"layout": "NCHW", "dtype": "float32", "output": "logits"},
    {"layout": "NHWC", "dtype": "float32", "output": "probabilities"},
    {"layout": "NCHW", "dtype": "float32", "output": "logits", "batch": 1},
    {"layout": "NCHW", "dtype": "uint8", "output": "probabilities"},
    {"layout": "NHWC", "dtype": "uint8", "output": "logits", "batch": 1},
]


@pytest.fixture
def pixels() -> np.ndarray:
    """Four pictures, each with a colour of its own."""
    noise = np.random.default_rng(3).integers(0, 100, (4, 32, 32, 3), np.uint8)
    noise[0, ..., 0] += 150
    noise[1, ..., 1] += 150
    noise[2, ..., 2] += 150
    return noise


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("own", OWN, ids=lambda own: " ".join(map(str, own.values())))
def test_a_users_model_is_given_what_its_folder_says(tmp_path, pixels, engine, own):
    """Layout, mean, deviation and softmax are applied: the answer is that of plain arithmetic."""
    model = load_model(str(write_model_folder(tmp_path, **own)), engine=engine)

    rows = model.classify(pixels)

    expected = expected_probabilities(pixels, normalised=own["dtype"] == "float32")
    np.testing.assert_allclose(rows, expected, atol=0.03)  # bfloat16's, where the processor has it


@pytest.mark.parametrize("engine", ENGINES)
def test_a_graph_that_no_engine_runs_is_refused(tmp_path, engine):
    """An operator that ONNX does not have ends in one line, not in a crash of the engine."""

    def spoil(model: onnx.ModelProto) -> None:
        model.graph.node[1].op_type = "ReduceNonsense"

    with pytest.raises(
        ConfigurationError, match=r"model\.onnx: (OpenVINO|ONNX Runtime) cannot run it: "
    ) as caught:
        load_model(str(write_model_folder(tmp_path, edit=spoil)), engine=engine)

    assert "\n" not in caught.value.detail


@pytest.mark.parametrize("engine", ENGINES)
def test_a_number_of_classes_that_only_shows_when_run_is_refused(tmp_path, engine):
    """Where the file does not say how many classes there are, the first answer does."""

    def leave_open(model: onnx.ModelProto) -> None:
        model.graph.output[0].CopyFrom(helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, None))

    with pytest.raises(ConfigurationError, match=r"labels\.txt has 2 labels, but model\.onnx has 5 classes"):
        load_model(str(write_model_folder(tmp_path, edit=leave_open, labels=("a", "b"))), engine=engine)


def test_a_provider_that_is_not_there_is_named():
    """The line says which providers there are."""
    with pytest.raises(ConfigurationError, match=r"no TpuExecutionProvider; it has .*CPUExecutionProvider"):
        load_model("fast", engine="onnxruntime", providers=("TpuExecutionProvider", "CPUExecutionProvider"))


def test_without_onnxruntime_the_mend_is_named(monkeypatch):
    """ONNX Runtime is an extra; who asks for it is told how to get it."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'iraas\[onnxruntime\]'"):
        load_model("fast", engine="onnxruntime")


def test_onnxruntime_never_takes_a_second_thread(monkeypatch):
    """One thread a worker, which does not spin while it waits."""
    options = []
    session = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime,
        "InferenceSession",
        lambda path, given, providers: options.append(given) or session(path, given, providers=providers),
    )

    load_model("fast", engine="onnxruntime")

    [given] = options
    assert (given.intra_op_num_threads, given.inter_op_num_threads) == (1, 1)
    assert given.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def modules_after(code: str) -> set[str]:
    """The modules that a fresh Python has after it ran this."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ
    )
    return set(ran.stdout.split())


def test_finding_a_model_imports_no_engine():
    """`iraas models list` and `--help` do not pay for engines."""
    modules = modules_after("from iraas.models.catalog import find_model; find_model('fast')")

    assert not {"openvino", "onnxruntime", "onnx", "cv2"} & modules


def test_openvino_comes_without_its_telemetry():
    """The converter and the telemetry client that it brings stay outside, and `openvino` is whole otherwise."""
    modules = modules_after("from iraas.models.catalog import load_model; load_model('fast')")

    assert "openvino" in modules
    assert not {"openvino_telemetry", "openvino.tools.ovc", "urllib.request", "http.client"} & modules


def test_openvino_takes_one_thread_and_pins_no_core():
    """Pinned, two workers would share the first core."""
    compiled = load_model("fast")._request.get_compiled_model()

    wanted = {"ENABLE_CPU_PINNING": False, "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    assert {name: compiled.get_property(name) for name in wanted} == wanted
