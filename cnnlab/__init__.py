"""cnnlab: understand, train, judge and use convolutional networks.

Importing cnnlab, its architectures and its analysis loads no TensorFlow.
"""

__version__ = "0.5.0"
