#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/gpt2/golden/gpt2.safetensors: a small random GPT-2, a batch, and what PyTorch says of them.

Run once, by hand, with Debian's python3-torch:  /usr/bin/python3 tools/golden_gpt2.py

The model is written from the paper's formulas in plain tensor operations, sequence by sequence, so that it shares nothing
with the program; gradients come from autograd. Tensors: our names of the weights ("wte", ...), their gradients
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

torch.manual_seed(20)
torch.set_num_threads(1)


def drawn(*shape, deviation=0.2, mean=0.0):
    return (mean + deviation * torch.randn(*shape)).requires_grad_()


W = {
    "wte": drawn(V, C), "wpe": drawn(T, C),
    "ln1w": drawn(L, C, mean=1), "ln1b": drawn(L, C),
    "qkvw": drawn(L, C, 3 * C), "qkvb": drawn(L, 3 * C),
    "attw": drawn(L, C, C), "attb": drawn(L, C),
    "ln2w": drawn(L, C, mean=1), "ln2b": drawn(L, C),
    "fcw": drawn(L, C, 4 * C), "fcb": drawn(L, 4 * C),
    "projw": drawn(L, 4 * C, C), "projb": drawn(L, C),
    "lnfw": drawn(C, mean=1), "lnfb": drawn(C),
}


def norm(x, w, b):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-5) * w + b


def gelu(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def attention(x, l):
    n, d = x.shape[0], C // H
    q, k, v = (x @ W["qkvw"][l] + W["qkvb"][l]).split(C, dim=-1)
    heads = []
    for h in range(H):
        part = slice(h * d, (h + 1) * d)
        scores = q[:, part] @ k[:, part].T / math.sqrt(d)
        seen = torch.tril(torch.ones(n, n, dtype=torch.bool))
        heads.append(torch.softmax(scores.masked_fill(~seen, float("-inf")), dim=-1) @ v[:, part])
    return torch.cat(heads, dim=-1) @ W["attw"][l] + W["attb"][l]


def forward(tokens):
    x = W["wte"][tokens] + W["wpe"][: len(tokens)]
    for l in range(L):
        x = x + attention(norm(x, W["ln1w"][l], W["ln1b"][l]), l)
        inner = gelu(norm(x, W["ln2w"][l], W["ln2b"][l]) @ W["fcw"][l] + W["fcb"][l])
        x = x + inner @ W["projw"][l] + W["projb"][l]
    return norm(x, W["lnfw"], W["lnfb"]) @ W["wte"].T


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


N = sum(LENGTHS)
token = torch.randint(0, V, (N,))
target = torch.randint(0, V, (N,))
target[torch.rand(N) < 0.25] = -1  # silent
weight = torch.rand(N) + 0.5
start = torch.tensor([0] + LENGTHS).cumsum(0)

logits = torch.cat([forward(token[a:b]) for a, b in zip(start[:-1], start[1:])])
counted = target >= 0
losses = -torch.log_softmax(logits, dim=-1)[counted, target[counted]]
loss = (losses * weight[counted]).sum() / weight[counted].sum()
loss.backward()

tensors = {**W, **{"d." + k: w.grad for k, w in W.items()}, "token": token, "start": start, "target": target,
           "weight": weight, "logits": logits, "loss": loss.double().reshape(1)}
write(OUT, tensors)
print(f"{OUT}: loss {loss.item():.6f}, {OUT.stat().st_size} bytes")
