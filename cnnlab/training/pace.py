"""How fast a training goes and how long it still takes, once there is something to say it by."""

from __future__ import annotations

from collections import deque

WINDOW_SECONDS = 15.0
LEAST_SECONDS_TRAINED = 3.0
LEAST_TIMES = 3


class Pace:
    """Images by the seconds of training that they took, of the last 15 s: what lies between epochs does not count, nor
    does the first step of an epoch, which may have to compile the network.

    The clock runs from `begin` on; a first `add` after `start` only sets it.
    """

    def __init__(self) -> None:
        self.spans: deque[tuple[float, int]] = deque()
        self.seconds = 0.0
        self.at: float | None = None

    def start(self, anew: bool = False) -> None:
        """An epoch begins: its first step is not counted. `anew` where its images are of another size."""
        self.at = None
        if anew:
            self.spans.clear()
            self.seconds = 0.0

    def add(self, now: float, images: int) -> None:
        """So many images are learned from by now."""
        if self.at is not None:
            self.spans.append((now - self.at, images))
            self.seconds += now - self.at
            while len(self.spans) > 1 and self.seconds - self.spans[0][0] > WINDOW_SECONDS:
                self.seconds -= self.spans.popleft()[0]
        self.at = now

    def rate(self) -> float | None:
        """Images per second; None before the second step."""
        return sum(images for _, images in self.spans) / self.seconds if self.seconds > 0 else None

    def seconds_left(self, images: float, epochs: int, beside: float) -> float | None:
        """How long so many images still take and `beside` seconds at the end of each of so many epochs; None while too
        little has been trained to tell."""
        rate = self.rate()
        if rate is None or self.seconds < LEAST_SECONDS_TRAINED or len(self.spans) < LEAST_TIMES:
            return None
        return images / rate + epochs * beside


def beside_an_epoch(judging: float, saving: float, validation_images: int, rate: float | None) -> float:
    """Seconds that an epoch takes beside its steps, by the last one: the first judging also compiles the network, but
    to judge an image never takes longer than to learn from it."""
    return min(judging, validation_images / rate) + saving if rate else judging + saving
