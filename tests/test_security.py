"""Every place of the package that could run, read or fetch what a stranger wrote: all of them are known, guarded and documented."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import gansmith
from gansmith.errors import UserError
from gansmith.networks.pretrained.onnx import from_onnx

ROOT = Path(gansmith.__file__).parent
DOCUMENT = (ROOT.parent / "docs" / "security.md").read_text(encoding="utf-8")

NEVER = re.compile(
    r"(builtins\.)?(eval|exec|compile|__import__|breakpoint)"
    r"|(pickle|cPickle|dill|cloudpickle|marshal|shelve|joblib|jsonpickle|yaml|pty|imp)\..+"
    r"|os\.(system|popen|exec\w*|spawn\w*|posix_spawn\w*|startfile)|subprocess\.(getoutput|getstatusoutput)|tempfile\.mktemp"
    r"|.*\.(read_pickle|to_pickle|extract|extractall|unpack_archive|fromfile|urlretrieve)"
    r"|(lxml|xml|ET|ElementTree|minidom|expat)\..+"
    r"|torch\.(save|hub\.(load|download)\w*|package\..+)|torch\.classes\..+|torch\.ops\.load_library|\w+\.register_custom_ops_library"
)
"""What is called nowhere, whatever the arguments."""
OUR_OWN = {("data/values.py", "eval"): "annotations of functions of this package"}
"""What is called all the same, and why."""
KNOWN = re.compile(
    r"torch\.load|torch\.jit\.load|torch\.export\.load|(np|numpy)\.(load|memmap)|importlib\.(import_module|util\.spec_from_file_location)"
    r"|loader\.exec_module|(entry|_entries\(\)\[name\])\.load|subprocess\.\w+|torchrun\.run|tarfile\.\w+|zipfile\.ZipFile|ZipFile|gzip\.\w+"
    r"|build_opener|urlopen|socket\.(socket\w*|create_\w+)|requests\.(get|post|request)|ctypes\.\w+|.*\.InferenceSession|.*\.create_model|.*\.ModelLoader|snapshot_download|load_dataset"
    r"|(\w+\.)?(load_file|safe_open|ParquetFile|TiffFile)|wandb\.init"
)
"""What may be called in the places below."""
PLACES = {
    "cli/__init__.py": {"importlib.import_module": "one of COMMANDS"},
    "__init__.py": {"importlib.import_module": "one of the public names"},
    "export/__init__.py": {"importlib.import_module": "a file of its folder"},
    "gans/__init__.py": {"importlib.import_module": "a file of its folder", "entry.load": "an installed package"},
    "kinds/__init__.py": {"importlib.import_module": "a folder of its own", "_entries()[name].load": "an installed package"},
    "metrics/registry.py": {"importlib.import_module": "a file of its folder"},
    "data/programs.py": {"importlib.util.spec_from_file_location": "behind allow_python", "loader.exec_module": "behind it, too"},
    "networks/pretrained/stored.py": {"torch.jit.load": "behind allow_program", "torch.export.load": "behind it, too"},
    "networks/pretrained/pretrained.py": {"timm.create_model": "behind allow_program, but for names of timm's own"},
    "layers/frozen.py": {"timm.create_model": "behind allow_program, but for names of timm's own"},
    "networks/pretrained/onnx.py": {"onnxruntime.InferenceSession": "computes, and reads no file outside of the folder"},
    "networks/pretrained/inception_engines.py": {"onnxruntime.InferenceSession": "a network of ours"},
    "export/onnx.py": {"onnxruntime.InferenceSession": "what was just written"},
    "export/torch.py": {"torch.export.load": "what was just written"},
    "networks/pretrained/perceptual_network.py": {"torch.load": "weights_only"},
    "networks/pretrained/dists_network.py": {"torch.load": "weights_only"},
    "kinds/images/features/inception.py": {"torch.load": "weights_only", "load_file": "safetensors"},
    "kinds/images/translation/foreign.py": {"spandrel.ModelLoader": "its restricted unpickler"},
    "kinds/audio/metrics/speakers.py": {"torch.load": "weights_only"},
    "kinds/audio/metrics/heard_alone.py": {"onnxruntime.InferenceSession": "the installed package's own network"},
    "kinds/audio/speech/espeak.py": {
        "ctypes.CDLL": "the library of the installed package espeakng-loader",
        "ctypes.POINTER": "a type",
        "ctypes.byref": "text of ours",
        "ctypes.c_char_p": "text of ours",
    },
    "serve/api_studio.py": {"zipfile.ZipFile": "written, not read"},
    "serve/parts.py": {"zipfile.ZipFile": "written, not read"},
    "data/tensors.py": {"safe_open": "safetensors", "load_file": "safetensors"},
    "data/cache.py": {"np.load": "no pickle"},
    "data/readers/rows.py": {"np.memmap": "numbers"},
    "data/readers/archives.py": {"zipfile.ZipFile": "members of limited sizes"},
    "data/readers/text.py": {"gzip.open": "up to a limit"},
    "data/readers/parquet_files.py": {"ParquetFile": "cells"},
    "data/readers/films.py": {"subprocess.Popen": "ffmpeg", "subprocess.run": "ffmpeg"},
    "data/film_writer.py": {"subprocess.Popen": "ffmpeg"},
    "data/readers/downloads.py": {"build_opener": "https alone"},
    "kinds/images/readers/hub.py": {"load_dataset": "no scripts"},
    "kinds/images/readers/published.py": {
        "gzip.decompress": "after its SHA-256",
        "tarfile.open": "read in memory, after its SHA-256",
    },
    "kinds/images/readers/handwriting.py": {"np.load": "no pickle, of this package"},
    "kinds/images/channels_file.py": {"tifffile.TiffFile": "numbers"},
    "kinds/images/codec.py": {"ZipFile": "written"},
    "kinds/audio/codec.py": {"ZipFile": "written"},
    "kinds/video/codec.py": {"ZipFile": "written"},
    "kinds/text/encoder.py": {"zipfile.ZipFile": "of an installed package, members of limited sizes"},
    "kinds/music/codec.py": {"zipfile.ZipFile": "written"},
    "model.py": {"snapshot_download": "JSON and safetensors alone"},
    "training/distributed.py": {"torchrun.run": "gansmith itself"},
    "training/allocator.py": {"ctypes.CDLL": "malloc's settings in the C library of the process"},
    "serve/commands.py": {"importlib.import_module": "one of two commands"},
    "serve/listening.py": {"socket.socket": "its own address"},
    "remote.py": {"np.load": "no pickle"},
    "training/stopping.py": {"socket.socketpair": "within the process"},
}
"""By file: what it calls, and why that is no stranger's way in."""


def calls(code: str) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def every_call() -> Iterator[tuple[str, str, ast.Call]]:
    for path in sorted(ROOT.rglob("*.py")):
        for name, node in calls(path.read_text(encoding="utf-8")):
            yield path.relative_to(ROOT).as_posix(), name, node


def test_nothing_that_runs_what_it_reads_is_called_anywhere() -> None:
    found = {(file, name) for file, name, _ in every_call() if NEVER.fullmatch(name)}
    assert found == set(OUR_OWN)


@pytest.mark.parametrize(
    "code",
    [
        "eval(x)",
        "pickle.load(f)",
        "yaml.safe_load(f)",
        "os.system(x)",
        "archive.extractall()",
        "pd.read_pickle(p)",
        "np.fromfile(p)",
    ],
)
def test_such_a_call_would_be_found(code: str) -> None:
    assert [name for name, _ in calls(f"def f():\n    return [{code}]") if NEVER.fullmatch(name)]


def test_what_reads_strangers_files_is_called_in_known_places_alone() -> None:
    found: dict[str, set[str]] = {}
    for file, name, _ in every_call():
        if KNOWN.fullmatch(name):
            found.setdefault(file, set()).add(name)
    assert found == {file: set(own) for file, own in PLACES.items()}, "say in PLACES and in docs/security.md why these are safe"


def test_every_known_place_is_documented() -> None:
    silent = {  # they read what is in the package, or nothing
        "cli/__init__.py",
        "__init__.py",
        "metrics/registry.py",
        "export/__init__.py",
        "serve/commands.py",
        "serve/listening.py",
        "training/stopping.py",
        "training/allocator.py",
        "training/distributed.py",
    }
    missing = [file for file in PLACES if file not in silent and f"`{file}`" not in DOCUMENT]
    assert missing == [], "the table of docs/security.md names every file that reads what a stranger may have written"


def test_no_pickle_is_loaded_and_no_shell_is_started() -> None:
    for file, name, node in every_call():
        how = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if name == "torch.load":
            assert how.get("weights_only") == "True", (file, node.lineno)
        assert how.get("allow_pickle") in (None, "False"), (file, node.lineno)
        assert "shell" not in how and "trust_remote_code" not in how, (file, node.lineno)
        if name in ("subprocess.run", "subprocess.Popen"):
            assert file in ("data/readers/films.py", "data/film_writer.py"), "ffmpeg alone is started"
        if name == "snapshot_download":
            assert how["allow_patterns"] == "['*.json', '*.safetensors', f'{PROGRAMS}/*.py']"  # these run only with --trust


def test_what_needs_the_users_word_asks_for_it_first() -> None:
    guards = {"torch.jit.load": "allow_program", "torch.export.load": "allow_program", "loader.exec_module": "allow_python"}
    for file in ("networks/pretrained/stored.py", "data/programs.py"):
        for function in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                own = sorted((node.lineno, ast.unparse(node.func)) for node in ast.walk(function) if isinstance(node, ast.Call))
                for line, name in own:
                    if name in guards:
                        assert any(earlier < line and before == guards[name] for earlier, before in own), (file, name)


@pytest.mark.parametrize("place", ["../secret.bin", "ABSOLUTE", "link.bin"])
def test_weights_of_an_onnx_file_lie_in_its_folder_or_are_not_read(place: str, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    (tmp_path / "model").mkdir()
    (tmp_path / "secret.bin").write_bytes(np.zeros(12, np.float32).tobytes())
    os.symlink("../secret.bin", tmp_path / "model" / "link.bin")
    weights = onnx.TensorProto(name="w", data_type=1, dims=[1, 12], data_location=onnx.TensorProto.EXTERNAL)
    where = str(tmp_path / "secret.bin") if place == "ABSOLUTE" else place
    for key, value in (("location", where), ("offset", "0"), ("length", "48")):
        weights.external_data.add(key=key, value=value)
    info = [onnx.helper.make_tensor_value_info(name, 1, ["batch", 12]) for name in ("x", "y")]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Add", ["x", "w"], ["y"])], "g", info[:1], info[1:], [weights])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "model" / "theirs.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="onnxruntime cannot read it"):
        from_onnx(tmp_path / "model" / "theirs.onnx")
