#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/gpt2/golden/gpt2.safetensors: a small random GPT-2, a batch, and what PyTorch says of them.

Run once, by hand, with Debian's python3-torch:  /usr/bin/python3 tools/golden_gpt2.py

The model is written from the paper's formulas in plain tensor operations, sequence by sequence, so that it shares nothing
with the program; gradients come from autograd (golden_train.py borrows it for steps of training). Tensors: our names of the weights ("wte", ...), their gradients
("d.wte", ...), "token", "start", "target", "weight", "logits", "loss".
"""
import json
import math
import pathlib
import struct

import torch

V, T, C, L, H = 61, 16, 24, 2, 3
LENGTHS = [5, 1, 16, 9, 2]
OUT = pathlib.Path(__file__).resolve().parent.parent / "tests/gpt2/golden/gpt2.safetensors"

def shapes_of(V, T, C, L):
    return {
        "wte": (V, C), "wpe": (T, C), "ln1w": (L, C), "ln1b": (L, C), "qkvw": (L, C, 3 * C), "qkvb": (L, 3 * C),
        "attw": (L, C, C), "attb": (L, C), "ln2w": (L, C), "ln2b": (L, C), "fcw": (L, C, 4 * C), "fcb": (L, 4 * C),
        "projw": (L, 4 * C, C), "projb": (L, C), "lnfw": (C,), "lnfb": (C,),
    }


def drawn(name, shape):
    mean = 1 if name in ("ln1w", "ln2w", "lnfw") else 0
    return (mean + 0.2 * torch.randn(*shape)).requires_grad_()


def norm(x, w, b):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-5) * w + b


def gelu(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def linear(W, x, site, l, lora):
    """lora: scale, {site: A [L, r, in]}, {site: B [L, out, r]}."""
    y = x @ W[site + "w"][l] + W[site + "b"][l]
    if lora:
        scale, a, b = lora
        y = y + scale * (x @ a[site][l].T) @ b[site][l].T
    return y


def attention(W, x, l, heads, lora):
    n, c = x.shape
    d = c // heads
    q, k, v = linear(W, x, "qkv", l, lora).split(c, dim=-1)
    out = []
    for h in range(heads):
        part = slice(h * d, (h + 1) * d)
        scores = q[:, part] @ k[:, part].T / math.sqrt(d)
        seen = torch.tril(torch.ones(n, n, dtype=torch.bool))
        out.append(torch.softmax(scores.masked_fill(~seen, float("-inf")), dim=-1) @ v[:, part])
    return linear(W, torch.cat(out, dim=-1), "att", l, lora)


def forward(W, tokens, heads, lora=None):
    x = W["wte"][tokens] + W["wpe"][: len(tokens)]
    for l in range(W["ln1w"].shape[0]):
        x = x + attention(W, norm(x, W["ln1w"][l], W["ln1b"][l]), l, heads, lora)
        inner = gelu(linear(W, norm(x, W["ln2w"][l], W["ln2b"][l]), "fc", l, lora))
        x = x + linear(W, inner, "proj", l, lora)
    return norm(x, W["lnfw"], W["lnfb"]) @ W["wte"].T


def logits_of(W, batch, heads, lora=None):
    token, start, _, _ = batch
    return torch.cat([forward(W, token[a:b], heads, lora) for a, b in zip(start[:-1], start[1:])])


def loss_of(logits, batch):
    _, _, target, weight = batch
    counted = target >= 0
    losses = -torch.log_softmax(logits, dim=-1)[counted, target[counted]]
    return (losses * weight[counted]).sum() / weight[counted].sum()


def made():
    """The weights and the batch, the same at every call."""
    torch.manual_seed(20)
    torch.set_num_threads(1)
    W = {name: drawn(name, shape) for name, shape in shapes_of(V, T, C, L).items()}
    n = sum(LENGTHS)
    token = torch.randint(0, V, (n,))
    target = torch.randint(0, V, (n,))
    target[torch.rand(n) < 0.25] = -1  # silent
    weight = torch.rand(n) + 0.5
    start = torch.tensor([0] + LENGTHS).cumsum(0)
    return W, (token, start, target, weight)


def write(path, tensors):
    kinds = {torch.float32: "F32", torch.int64: "I64", torch.float64: "F64"}
    ordered = sorted(tensors.items(), key=lambda kv: (-kv[1].element_size(), kv[0]))
    header, data = {}, b""
    for name, t in ordered:
        raw = t.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": kinds[t.dtype], "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 64)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    print(f"{path}: {path.stat().st_size} bytes")


def main():
    W, batch = made()
    logits = logits_of(W, batch, H)
    loss = loss_of(logits, batch)
    loss.backward()
    names = ("token", "start", "target", "weight")
    write(OUT, {**W, **{"d." + k: w.grad for k, w in W.items()}, **dict(zip(names, batch)), "logits": logits,
                "loss": loss.double().reshape(1)})


if __name__ == "__main__":
    main()
