"""RED-CNN of three levels and two filters by PyTorch's convolutions, for weights that are written down as sines.

python3 -m venv venv && venv/bin/pip install torch==2.15.0 && venv/bin/python methods_red_cnn.py > methods_red_cnn.json
"""
import json
import torch
from torch.nn.functional import conv2d, conv_transpose2d

filters, height, width = 2, 15, 14


def sines(shape, factor, phase):
    count = torch.Size(shape).numel()
    return (factor * torch.sin(0.7 * torch.arange(count, dtype=torch.float64) + phase)).reshape(shape)


def layer(number, inputs, biases):
    w = sines([5, 5, inputs, filters], 0.15, number)  # as the suite lays filters out
    return w.permute(3, 2, 0, 1), sines([biases], 0.1, number)


x = 1 + sines([1, 1, height, width], 1, 0)
down = [layer(0, 1, filters), layer(1, filters, filters), layer(2, filters, filters)]
up = [layer(3, 1, 1), layer(4, filters, filters), layer(5, filters, filters)]
levels = [x]
for w, b in down:
    levels.append(torch.relu(conv2d(levels[-1], w, b)))
# Of the five in the paper, the first transposed convolution is added what the fourth convolution gave, the third what the
# second gave, and the last the image: here the first and the last of three.
image = torch.relu(conv_transpose2d(levels[3], *up[2]) + levels[2])
image = torch.relu(conv_transpose2d(image, *up[1]))
image = conv_transpose2d(image, *up[0]) + x
print(json.dumps({"height": height, "width": width, "image": image.flatten().tolist()}))
