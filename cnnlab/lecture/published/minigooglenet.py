"""MiniGoogLeNet: the figure of Zhang et al. that the lecture shows, and the total of their Table 1."""

from __future__ import annotations

from cnnlab.lecture.published.measures import filters, filters_and_kernel, kernel, output_shape, parameters, stride
from cnnlab.lecture.published.table import LECTURE, Figure, PublishedTable

ZHANG = "Zhang, Bengio, Hardt, Recht and Vinyals, ICLR 2017 (arXiv:1611.03530)"

MODULES = """
Inception Module|32 + 32 filters|inception1a
Inception Module|32 + 48 filters|inception1b
Downsample Module|80 filters|downsample1
Inception Module|112 + 48 filters|inception2a
Inception Module|96 + 64 filters|inception2b
Inception Module|80 + 80 filters|inception2c
Inception Module|48 + 96 filters|inception2d
Downsample Module|96 filters|downsample2
Inception Module|176 + 160 filters|inception3a
Inception Module|176 + 160 filters|inception3b
"""


def module_figures() -> list[Figure]:
    figures = []
    for line in MODULES.strip().splitlines():
        kind, printed, part = line.split("|")
        place = part.removeprefix("inception").removeprefix("downsample")
        figures.append(Figure(f"{kind} ({place})", "filters", printed, filters, part))
    return figures


MINIGOOGLENET_FIGURE = PublishedTable(
    title="MiniGoogLeNet: the modules of the figure",
    source=f'{ZHANG}, Figure 3, "Inception (small)"; {LECTURE}, MiniGoogLeNet',
    lecture="MiniGoogLeNet",
    architectures=("minigooglenet",),
    options=(("input_size", 28), ("classes", 10)),
    figures=(
        Figure("Images", "inputs", "28x28x3 inputs", output_shape, "input"),
        Figure("Conv Module", "filters", "96, 3x3 filters", filters_and_kernel, "stem"),
        Figure("Conv Module", "strides", "1x1 strides", stride, "stem"),
        *module_figures(),
        Figure("Mean Pooling", "kernel", "7x7 kernel (global)", kernel, "mean_pool"),
        Figure("Fully Connected", "outputs", "10-way outputs", output_shape, "fc"),
        Figure(
            "total",
            "Params",
            "1.6M Params.",
            parameters,
            unit=10**6,
            note="With the 6,848 of batch normalization the total rounds to 1.7M; without them, 1,649,402, to 1.6M.",
        ),
    ),
)

ZHANG_TABLE_1 = PublishedTable(
    title="MiniGoogLeNet: its total without batch normalization",
    source=f"{ZHANG}, Table 1",
    lecture="MiniGoogLeNet",
    architectures=("minigooglenet",),
    options=(("input_size", 28), ("classes", 10), ("batch_normalization", False)),
    figures=(Figure("Inception", "# params", "1,649,402", parameters),),
    convention="The paper prints the same total with and without batch normalization: it does not count it.",
)
