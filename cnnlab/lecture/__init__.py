"""The lecture as content: printed figures, 1x1 arithmetic, results beside ours. Nothing else depends on it."""
