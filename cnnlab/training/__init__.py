"""Training: the recipe, the compiled step, and the process that runs it."""
