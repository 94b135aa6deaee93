"""The training steps of step_worker.ts in PyTorch, for `deno task perf torch`.

Same networks, losses, optimiser and batch size, float32. Its one argument is a step as JSON (method, size, width, critic,
mode, threads, device). It warms up, prints a line, and then answers each line of its standard input, a count, with the median
milliseconds of so many steps.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy
"""

import json
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class UNet(nn.Module):
    """The residual U-Net of methods/networks/unet.ts."""

    def __init__(self, width, levels=3, channels=2):
        super().__init__()
        at = lambda level: width * 2**level
        pair = lambda a, b: nn.ModuleList(
            [nn.Conv2d(a, b, 3, padding=1, bias=False), nn.Conv2d(b, b, 3, padding=1, bias=False)]
        )
        self.down = nn.ModuleList(
            [pair(channels if level == 0 else at(level - 1), at(level)) for level in range(levels + 1)]
        )
        self.up = nn.ModuleList([pair(at(level) + at(level + 1), at(level)) for level in range(levels)])
        self.last = nn.Conv2d(width, channels, 1, bias=False)

    @staticmethod
    def convolve(x, pair):
        for convolution in pair:
            x = F.leaky_relu(F.instance_norm(convolution(x)), 0.2)
        return x

    def forward(self, image):
        x = image
        skips = []
        for pair in self.down[:-1]:
            x = self.convolve(x, pair)
            skips.append(x)
            x = F.avg_pool2d(x, 2)
        x = self.convolve(x, self.down[-1])
        for pair, skip in zip(reversed(self.up), reversed(skips)):
            x = self.convolve(torch.cat([skip, F.interpolate(x, scale_factor=2, mode="nearest")], 1), pair)
        return image + self.last(x)


class Critic(nn.Module):
    """methods/networks/patch_critic.ts."""

    def __init__(self, width=16, layers=3, channels=2):
        super().__init__()
        self.strided = nn.ModuleList(
            [
                nn.Conv2d(
                    channels if i == 0 else width * 2 ** (i - 1), width * 2**i, 4, stride=2, padding=1, bias=False
                )
                for i in range(layers)
            ]
        )
        self.last = nn.Conv2d(width * 2 ** (layers - 1), 1, 3, padding=1, bias=False)

    def forward(self, x):
        for i, convolution in enumerate(self.strided):
            x = convolution(x)
            x = F.leaky_relu(F.instance_norm(x) if i > 0 else x, 0.2)
        return self.last(x)


def aliasing(size):
    """F⁻¹PF along the width, P the central quarter of the lines, as one matrix product (physics/fourier.ts)."""
    lines = torch.zeros(size)
    first = size // 2 - size // 8
    lines[first : first + size // 4] = 1
    kernel = torch.fft.ifft(torch.fft.ifftshift(lines))
    circulant = torch.stack([torch.roll(kernel, i) for i in range(size)])
    real, imaginary = circulant.real, circulant.imag
    matrix = torch.cat([torch.cat([real, imaginary], 1), torch.cat([-imaginary, real], 1)], 0).contiguous()

    def apply(x):
        n, _, height, width = x.shape
        rows = x.permute(0, 2, 1, 3).reshape(n * height, 2 * width)
        return (rows @ matrix).reshape(n, height, 2, width).permute(0, 2, 1, 3)

    return apply


def adam(rate, *networks):
    return torch.optim.Adam([p for network in networks for p in network.parameters()], rate, betas=(0.5, 0.9))


def minimise(optimiser, loss):
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def frozen(network, on):
    for parameter in network.parameters():
        parameter.requires_grad_(not on)


def supervised(size, width, compiled):
    G = UNet(width)
    optimiser = adam(2e-3, G)
    apply = torch.compile(G) if compiled else G
    return lambda x, y: minimise(optimiser, F.l1_loss(apply(y), x))


def ot_cyclegan(size, width, compiled, critic_width=16):
    G, critic, A = UNet(width), Critic(critic_width), aliasing(size)
    generators, critics = adam(2e-3, G), adam(2e-4, critic)
    g = torch.compile(G) if compiled else G

    def step(x, y):
        frozen(critic, True)
        fake = g(y)
        loss = 100 * (F.l1_loss(g(A(x)), x) + F.l1_loss(A(fake), y)) - critic(fake).mean()
        minimise(generators, loss)
        frozen(critic, False)
        fake = fake.detach()
        alpha = torch.rand(1, 1, 1, 1)
        between = (fake + alpha * (x - fake)).requires_grad_()
        (gradient,) = torch.autograd.grad(critic(between).mean(), between, create_graph=True)
        norm = (gradient.square().sum((1, 2, 3)) + 1e-12).sqrt()
        loss = critic(fake).mean() - critic(x).mean() + 10 * (norm - 1).square().mean()
        minimise(critics, loss)

    return step


def cyclegan(size, width, compiled):
    G, H, phi, psi = UNet(width), UNet(width), Critic(), Critic()
    generators, critics = adam(1e-3, G, H), adam(1e-3, phi, psi)
    g, h = (torch.compile(G), torch.compile(H)) if compiled else (G, H)

    def step(x, y):
        frozen(phi, True), frozen(psi, True)
        fake_x, fake_y = g(y), h(x)
        loss = (phi(fake_x) - 1).square().mean() + (psi(fake_y) - 1).square().mean()
        loss = loss + 10 * (F.l1_loss(g(fake_y), x) + F.l1_loss(h(fake_x), y))
        loss = loss + 5 * (F.l1_loss(g(x), x) + F.l1_loss(h(y), y))
        minimise(generators, loss)
        frozen(phi, False), frozen(psi, False)
        loss = (phi(x) - 1).square().mean() + phi(fake_x.detach()).square().mean()
        loss = loss + (psi(y) - 1).square().mean() + psi(fake_y.detach()).square().mean()
        minimise(critics, 0.5 * loss)

    return step


def main():
    kind = json.loads(sys.argv[1])
    device = kind.get("device", "cpu")
    if not (device == "cpu" or torch.cuda.is_available()):
        sys.exit("this PyTorch finds no CUDA device")
    torch.set_default_device(device)
    torch.set_num_threads(kind.get("threads", 1))
    torch.manual_seed(0)
    finish = (lambda: None) if device == "cpu" else torch.cuda.synchronize
    make = {"supervised": supervised, "ot-cyclegan": ot_cyclegan, "cyclegan": cyclegan}[kind["method"]]
    more = {"critic_width": kind["critic"]} if "critic" in kind else {}
    step = make(kind["size"], kind["width"], kind.get("mode") == "compiled", **more)
    x, y = torch.randn(2, 1, 2, kind["size"], kind["size"]).unbind(0)
    for _ in range(30):
        step(x, y)
    finish()
    print("ready", flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            step(x, y)
            finish()
            times.append(1000 * (time.perf_counter() - start))
        print(statistics.median(times), flush=True)


main()
