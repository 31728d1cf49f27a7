"""The network: llama architecture (RMSNorm without weights of its own, rotary positions on neighbouring pairs, SwiGLU), as plain PyTorch.

This is the readable form: eval/greedy.py answers with it, and eval/check_gradients.py compares passes.py, which trains, with it.
Rotary positions turn the pairs (0,1), (2,3), … of a head, as llama.cpp does for this architecture, so weights are written as they are.
"""
import torch
import torch.nn.functional as F

SHAPE = {"width": 256, "layers": 4, "heads": 4, "feed_forward": 512, "context": 1024}
NORM_EPSILON = 1e-5
ROTARY_BASE = 10_000.0


def initial_weights(vocabulary, shape, seed):
    """By name; a layer's come stacked: q, k and v as one matrix, gate and up as another. What ends a branch starts at nothing."""
    torch.manual_seed(seed)
    width, inner = shape["width"], shape["feed_forward"]
    weights = {"embedding": torch.randn(vocabulary, width), "output": torch.randn(vocabulary, width) * 0.02}
    for number in range(shape["layers"]):
        weights[f"qkv.{number}"] = torch.randn(3 * width, width) * width ** -0.5
        weights[f"qkv.{number}"][:2 * width] *= 0.3  # small q and k: at first a position looks at all earlier ones alike
        weights[f"o.{number}"] = torch.zeros(width, width)
        weights[f"gate_up.{number}"] = torch.randn(2 * inner, width) * width ** -0.5
        weights[f"down.{number}"] = torch.zeros(width, inner)
    return weights


def rotations(shape):
    half = shape["width"] // shape["heads"] // 2
    angles = torch.arange(shape["context"])[:, None] * ROTARY_BASE ** (-torch.arange(half) / half)
    return angles.cos(), angles.sin()


def normed(x):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + NORM_EPSILON)


def turned(x, cos, sin):
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


def scores(weights, shape, ids):
    """For each position of each row of ids, the scores of the next token."""
    batch, length = ids.shape
    cos, sin = (table[:length] for table in rotations(shape))
    later = torch.full((length, length), float("-inf")).triu(1)
    x = weights["embedding"][ids]
    for number in range(shape["layers"]):
        q, k, v = (normed(x) @ weights[f"qkv.{number}"].T).view(batch, length, 3, shape["heads"], -1).permute(2, 0, 3, 1, 4)
        q, k = turned(q, cos, sin), turned(k, cos, sin)
        shares = torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + later, -1)
        x = x + (shares @ v).transpose(1, 2).reshape(batch, length, -1) @ weights[f"o.{number}"].T
        gate, up = (normed(x) @ weights[f"gate_up.{number}"].T).chunk(2, -1)
        x = x + (F.silu(gate) * up) @ weights[f"down.{number}"].T
    return normed(x) @ weights["output"].T
