"""The network: llama architecture (RMSNorm, rotary positions on neighbouring pairs, SwiGLU).

Rotary positions turn the pairs (0,1), (2,3), … of a head, as llama.cpp does for this architecture, so weights are written as they are.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

SHAPE = {"width": 256, "layers": 5, "heads": 4, "feed_forward": 704, "context": 1024}
NORM_EPSILON = 1e-5
ROTARY_BASE = 10_000.0


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + NORM_EPSILON) * self.weight


def rotate(x, cos, sin):
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Layer(nn.Module):
    def __init__(self, width, heads, feed_forward):
        super().__init__()
        self.heads = heads
        self.attention_norm, self.feed_forward_norm = Norm(width), Norm(width)
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.gate, self.up = nn.Linear(width, feed_forward, bias=False), nn.Linear(width, feed_forward, bias=False)
        self.down = nn.Linear(feed_forward, width, bias=False)

    def forward(self, x, cos, sin, mask):
        batch, length, width = x.shape
        normed = self.attention_norm(x)
        q, k, v = (part(normed).view(batch, length, self.heads, -1).transpose(1, 2) for part in (self.q, self.k, self.v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        weights = torch.softmax((q @ k.transpose(-1, -2)).float() * (width // self.heads) ** -0.5 + mask, -1)
        x = x + self.o((weights.to(v.dtype) @ v).transpose(1, 2).reshape(batch, length, width))
        normed = self.feed_forward_norm(x)
        return x + self.down(F.silu(self.gate(normed)) * self.up(normed))


class Network(nn.Module):
    def __init__(self, vocabulary, shape=None):
        super().__init__()
        shape = shape or SHAPE
        self.shape = shape
        self.embedding = nn.Embedding(vocabulary, shape["width"])
        self.layers = nn.ModuleList(Layer(shape["width"], shape["heads"], shape["feed_forward"]) for _ in range(shape["layers"]))
        self.norm = Norm(shape["width"])
        self.output = nn.Linear(shape["width"], vocabulary, bias=False)
        half = shape["width"] // shape["heads"] // 2
        angles = torch.arange(shape["context"])[:, None] * ROTARY_BASE ** (-torch.arange(half) / half)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self.register_buffer("mask", torch.full((shape["context"], shape["context"]), float("-inf")).triu(1), persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = 0.02 if name.startswith(("embedding", "output")) else shape["width"] ** -0.5 * (0.5 if not name.endswith(("o.weight", "down.weight")) else 0.5 / (2 * shape["layers"]) ** 0.5)
                nn.init.normal_(weight, std=scale)

    def forward(self, ids):
        """Returns the hidden states; `logits` turns the wanted ones into scores."""
        length = ids.shape[1]
        x = self.embedding(ids)
        for layer in self.layers:
            x = layer(x, self.cos[:length], self.sin[:length], self.mask[:length, :length])
        return self.norm(x)

    def logits(self, hidden):
        return self.output(hidden)
