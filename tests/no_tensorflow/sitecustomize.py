"""Python runs this at the start of every process that a fast test starts: none of them may load TensorFlow."""

import sys


class NoTensorFlow:
    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name in ("tensorflow", "keras"):
            raise ImportError(f"A test that is not marked slow started a process that imports {name}.", name=name)


sys.meta_path.insert(0, NoTensorFlow)  # type: ignore[arg-type]
