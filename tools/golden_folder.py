#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GPT-2 folders and what PyTorch says of them, with Debian's python3-torch.

    golden_folder.py                  makes tests/gpt2/golden/{f16,bf16,sharded}: small folders as the common library lays
                                      them out, each with "token" and "logits" in logits.safetensors (run once, by hand)
    golden_folder.py FOLDER LOGITS    checks a folder that tandem saved: its names and shapes are those of a GPT-2, and its
                                      logits are those that LOGITS ("token": I64, "logits": F32) holds, to 1e-4 of the
                                      largest (the deep test runs it)

The reader of safetensors is its own, the model is that of golden_gpt2.py.
"""
import json
import pathlib
import struct
import sys

import torch

import golden_gpt2 as small

KINDS = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}
OURS = {"wte.weight": "wte", "wpe.weight": "wpe", "ln_1.weight": "ln1w", "ln_1.bias": "ln1b", "attn.c_attn.weight": "qkvw",
        "attn.c_attn.bias": "qkvb", "attn.c_proj.weight": "attw", "attn.c_proj.bias": "attb", "ln_2.weight": "ln2w",
        "ln_2.bias": "ln2b", "mlp.c_fc.weight": "fcw", "mlp.c_fc.bias": "fcb", "mlp.c_proj.weight": "projw",
        "mlp.c_proj.bias": "projb", "ln_f.weight": "lnfw", "ln_f.bias": "lnfb"}
THEIRS = {ours: theirs for theirs, ours in OURS.items()}
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests/gpt2/golden"
SIZES = {"vocab_size": 31, "n_positions": 12, "n_embd": 16, "n_layer": 2, "n_head": 2}


# ---- files ----

def read(path):
    raw = path.read_bytes()
    n = struct.unpack("<Q", raw[:8])[0]
    out = {}
    for name, told in json.loads(raw[8:8 + n]).items():
        if name != "__metadata__":
            a, b = told["data_offsets"]
            data = bytearray(raw[8 + n + a:8 + n + b])
            out[name] = torch.frombuffer(data, dtype=KINDS[told["dtype"]]).reshape(told["shape"])
    return out


def write(path, tensors):
    names = {kind: name for name, kind in KINDS.items()}
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, t in sorted(tensors.items()):
        raw = t.contiguous().view(torch.uint8 if t.dim() else t.dtype).numpy().tobytes()
        header[name] = {"dtype": names[t.dtype], "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def weights(folder):
    """The tensors by our names, layers stacked, and the heads."""
    config = json.loads((folder / "config.json").read_text())
    index = folder / "model.safetensors.index.json"
    shards = set(json.loads(index.read_text())["weight_map"].values()) if index.exists() else ["model.safetensors"]
    layers, W = {}, {}
    for shard in shards:
        for name, t in read(folder / shard).items():
            name = name.removeprefix("transformer.")
            if name.startswith("h."):
                _, l, name = name.split(".", 2)
                layers.setdefault(OURS[name], {})[int(l)] = t.float()
            else:
                W["head" if name == "lm_head.weight" else OURS[name]] = t.float()
    head = W.pop("head", W["wte"])
    assert torch.equal(head, W["wte"]), "lm_head.weight is not wte.weight"
    for ours, parts in layers.items():
        assert sorted(parts) == list(range(config["n_layer"])), f"{ours}: layers {sorted(parts)}"
        W[ours] = torch.stack([parts[l] for l in range(config["n_layer"])])
    shapes = small.shapes_of(config["vocab_size"], config["n_positions"], config["n_embd"], config["n_layer"])
    assert {k: tuple(w.shape) for k, w in W.items()} == shapes, "names or shapes are not those of a GPT-2"
    return W, config["n_head"]


# ---- what is asked ----

def make(name, kind, shards, prefix, head):
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    s = SIZES
    tensors = {}
    for ours, shape in small.shapes_of(s["vocab_size"], s["n_positions"], s["n_embd"], s["n_layer"]).items():
        w = small.drawn(ours, shape).detach().to(kind)
        layered = THEIRS[ours].split(".")[0] in ("ln_1", "ln_2", "attn", "mlp")
        for l in range(s["n_layer"] if layered else 1):
            tensors[prefix + (f"h.{l}." if layered else "") + THEIRS[ours]] = w[l].clone() if layered else w
    if head:
        tensors["lm_head.weight"] = tensors[prefix + "wte.weight"]
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"],
                                                    "activation_function": "gelu_new", "layer_norm_epsilon": 1e-05,
                                                    **s}, indent=2) + "\n")
    if shards == 1:
        write(folder / "model.safetensors", tensors)
    else:
        names = sorted(tensors)
        where = {n: f"model-{i % shards + 1:05}-of-{shards:05}.safetensors" for i, n in enumerate(names)}
        for file in set(where.values()):
            write(folder / file, {n: tensors[n] for n in names if where[n] == file})
        size = sum(t.numel() * t.element_size() for t in tensors.values())
        (folder / "model.safetensors.index.json").write_text(
            json.dumps({"metadata": {"total_size": size}, "weight_map": where}, indent=2) + "\n")
    W, heads = weights(folder)
    token = torch.randint(0, s["vocab_size"], (s["n_positions"],))
    write(folder / "logits.safetensors", {"token": token, "logits": small.forward(W, token, heads)})


def check(folder, logits):
    want = read(pathlib.Path(logits))
    W, heads = weights(pathlib.Path(folder))
    got = small.forward(W, want["token"], heads)
    off = ((got - want["logits"]).abs().max() / got.abs().max()).item()
    print(f"{folder}: the largest difference is {off:.1e} of the largest logit")
    return off <= 1e-4


def main():
    torch.set_num_threads(1)
    if len(sys.argv) == 3:
        with torch.no_grad():
            sys.exit(0 if check(sys.argv[1], sys.argv[2]) else 1)
    torch.manual_seed(21)
    make("f16", torch.float16, 1, "transformer.", True)
    make("bf16", torch.bfloat16, 1, "", False)
    make("sharded", torch.float32, 2, "transformer.", False)


if __name__ == "__main__":
    main()
