"""Published encoders of sentences as a space: equal to torch's own layers, and one sentence for folders of another kind."""

import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gansmith.errors import UserError
from gansmith.evaluation.extractors import extractor_for
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.text.encoder import requested

tokenizers = pytest.importorskip("tokenizers")
WORDS = ["[PAD]", "[UNK]", "the", "cat", "dog", "sees", "a", "red"]
WIDTH, HEADS, LAYERS, PLACES = 8, 2, 2, 6
TEXTS = ["the cat sees a red dog", "a dog", "the the the the the the the the", "zebra", ""]


@pytest.fixture
def folder(tmp_path):
    """A BERT of torch's layers, written as Hugging Face does; its layers stand in `layers.pt` for comparison."""
    torch.manual_seed(0)
    embeddings = {
        name: torch.randn(count, WIDTH) for name, count in (("word", len(WORDS)), ("position", PLACES), ("token_type", 2))
    }
    norm = nn.LayerNorm(WIDTH, eps=1e-12)
    layers = [
        nn.TransformerEncoderLayer(WIDTH, HEADS, 12, 0.0, "gelu", layer_norm_eps=1e-12, batch_first=True) for _ in range(LAYERS)
    ]
    tensors = {f"embeddings.{name}_embeddings.weight": table for name, table in embeddings.items()}

    def add(name, module):
        tensors.update({f"{name}.weight": module.weight.detach(), f"{name}.bias": module.bias.detach()})

    for module in (norm, *layers):
        for parameter in module.parameters():
            nn.init.normal_(parameter)
    add("embeddings.LayerNorm", norm)
    for place, layer in enumerate(layers):
        at = f"encoder.layer.{place}."
        for number, name in enumerate(("query", "key", "value")):
            rows = slice(number * WIDTH, (number + 1) * WIDTH)
            own = layer.self_attn.in_proj_weight[rows].detach(), layer.self_attn.in_proj_bias[rows].detach()
            tensors |= {f"{at}attention.self.{name}.{part}": tensor for part, tensor in zip(("weight", "bias"), own, strict=True)}
        add(at + "attention.output.dense", layer.self_attn.out_proj)
        add(at + "attention.output.LayerNorm", layer.norm1)
        add(at + "intermediate.dense", layer.linear1)
        add(at + "output.dense", layer.linear2)
        add(at + "output.LayerNorm", layer.norm2)
    save_file({f"bert.{key}": tensor.clone() for key, tensor in tensors.items()}, tmp_path / "model.safetensors")
    facts = {"model_type": "bert", "num_attention_heads": HEADS, "num_hidden_layers": LAYERS, "max_position_embeddings": PLACES}
    (tmp_path / "config.json").write_text(json.dumps(facts))
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(single="[UNK] $A", special_tokens=[("[UNK]", 1)])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "modules.json").write_text(json.dumps([{"type": "sentence_transformers.models.Normalize"}]))

    def reference(text):
        ids = [1, *(WORDS.index(word) if word in WORDS else 1 for word in text.split())][:PLACES]
        x = norm(embeddings["word"][ids] + embeddings["position"][: len(ids)] + embeddings["token_type"][0])[None]
        for layer in layers:
            x = layer(x)
        return torch.nn.functional.normalize(x[0].mean(0), dim=0).detach()

    return tmp_path, reference


def test_an_encoder_equals_the_layers_it_was_written_from(folder):
    path, reference = folder
    data = open_dataset(TEXTS[:-1] * 5, kind="text")
    found = extractor_for(data, 0, path, asked=str(path)).features(data)
    for text, row in zip(TEXTS[:-1], found, strict=False):
        assert torch.allclose(row, reference(text), atol=1e-5)
    assert torch.allclose(requested(path, "cpu").encode(TEXTS)[-1], reference(""), atol=1e-5)


def test_the_first_token_stands_for_the_text_where_the_folder_says_so(folder):
    path, _ = folder
    mean = requested(path, "cpu")
    (path / "1_Pooling").mkdir()
    (path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    first = requested(path, "cpu")
    assert mean.key != first.key and not torch.allclose(mean.encode(TEXTS), first.encode(TEXTS))


@pytest.mark.parametrize("lacks", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_folder_that_lacks_a_part_is_one_sentence(folder, lacks):
    path, _ = folder
    (path / lacks).unlink()
    with pytest.raises(UserError, match=f"holds no encoder of sentences.*it has no {lacks}"):
        requested(path, "cpu")


@pytest.mark.parametrize(
    ("name", "content"), [("config.json", '{"model_type": "gpt2"}'), ("config.json", "[1"), ("model.safetensors", "x")]
)
def test_files_of_another_kind_are_one_sentence(folder, name, content):
    path, _ = folder
    (path / name).write_text(content)
    with pytest.raises(UserError, match="holds no encoder of sentences"):
        requested(path, "cpu")


def test_what_is_no_folder_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="--features of texts is minilm, a folder with an encoder"):
        requested("inception", "cpu")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr("gansmith.kinds.text.encoder.brought_by", lambda *parts: None)
    monkeypatch.delenv("GANSMITH_MINILM", raising=False)
    with pytest.raises(UserError, match="all-MiniLM-L6-v2 is not on this machine"):
        requested("minilm", "cpu")


def test_minilm_is_found_in_the_cache_and_by_its_name(folder, tmp_path_factory, monkeypatch):
    path, reference = folder
    home = tmp_path_factory.mktemp("home")
    place = home / "hub" / "models--sentence-transformers--all-MiniLM-L6-v2" / "snapshots" / "1"
    place.parent.mkdir(parents=True)
    place.symlink_to(path)
    monkeypatch.delenv("GANSMITH_MINILM", raising=False)
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setattr("gansmith.kinds.text.encoder.brought_by", lambda *parts: None)
    assert torch.allclose(requested("minilm", "cpu").encode(["a dog"])[0], reference("a dog"), atol=1e-5)
    monkeypatch.setenv("HF_HOME", str(path))
    monkeypatch.setenv("GANSMITH_MINILM", str(path))
    assert requested("minilm", "cpu").name == "minilm"
