"""How weights move: Muon for the matrices of the layers, Adam for the two tables of tokens.

Muon moves a matrix by its averaged gradient with all singular values brought near one, so that rare directions are learned as fast as common ones.
"""
import torch

# A polynomial that, applied five times, brings every singular value from (0, 1] to about one.
LEVELLING_STEPS, POLYNOMIAL = 5, (3.4445, -4.775, 2.0315)
STACK = 6  # matrices of one size that are levelled together
MOMENTUM, ADAM_BETAS, ADAM_EPSILON = 0.95, (0.9, 0.98), 1e-10


def levelled(matrices, number):
    """For a stack of matrices at once, each with no more rows than columns."""
    x = (matrices / (matrices.flatten(1).norm(dim=1)[:, None, None] + 1e-7)).to(number)
    a, b, c = POLYNOMIAL
    for _ in range(LEVELLING_STEPS):
        gram = torch.bmm(x, x.transpose(1, 2))
        x = a * x + torch.bmm(b * gram + c * torch.bmm(gram, gram), x)
    return x.float()


class Optimizer:
    def __init__(self, weights, shape, matrix_rate, token_rates, decay, number):
        self.weights, self.matrix_rate, self.token_rates, self.decay, self.number = weights, matrix_rate, token_rates, decay, number
        self.steps = 0
        self.averages = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self.squares = {name: torch.zeros_like(weights[name]) for name in token_rates}
        self.stacks = {}
        for name in weights:
            if name in token_rates:
                continue
            parts = {"qkv": 3, "gate_up": 2}.get(name.split(".")[0], 1)  # what is stored as one matrix is several
            for part in range(parts):
                rows = weights[name].shape[0] // parts
                self.stacks.setdefault(tuple(sorted((rows, weights[name].shape[1]))), []).append((name, slice(part * rows, (part + 1) * rows)))

    def jobs(self, gradients, factor):
        """What one step consists of, the longest first, for as many threads as there are. `factor` scales all rates: the schedule."""
        self.steps += 1
        for (short, long), members in self.stacks.items():
            for start in range(0, len(members), STACK):
                yield lambda short=short, long=long, some=members[start:start + STACK]: self._muon(gradients, factor, short, long, some)
        for name in self.token_rates:
            yield lambda name=name: self._adam(gradients, factor, name)

    def _adam(self, gradients, factor, name):
        gradient, average, square = gradients[name], self.averages[name], self.squares[name]
        average.lerp_(gradient, 1 - ADAM_BETAS[0])
        square.lerp_(gradient * gradient, 1 - ADAM_BETAS[1])
        unbiased = (square / (1 - ADAM_BETAS[1] ** self.steps)).sqrt_().add_(ADAM_EPSILON)
        self.weights[name].addcdiv_(average, unbiased, value=-self.token_rates[name] * factor / (1 - ADAM_BETAS[0] ** self.steps))

    def _muon(self, gradients, factor, short, long, members):
        stack = torch.empty(len(members), short, long)
        for at, (name, rows) in enumerate(members):
            gradient, average = gradients[name][rows], self.averages[name][rows]
            average.lerp_(gradient, 1 - MOMENTUM)
            ahead = torch.lerp(gradient, average, MOMENTUM)
            stack[at] = ahead if ahead.shape[0] == short else ahead.t()
        for move, (name, rows) in zip(levelled(stack, self.number), members):
            weight = self.weights[name][rows]
            move = move if weight.shape[0] == short else move.t()
            rate = self.matrix_rate * factor * max(1, weight.shape[0] / weight.shape[1]) ** 0.5
            weight.mul_(1 - rate * self.decay).add_(move, alpha=-rate)
