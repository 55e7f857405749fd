"""Designing a network: edits of the Network value, their costs and advice, designs kept and shared. No TensorFlow."""

from cnnlab.design.history import History

__all__ = ["History"]
