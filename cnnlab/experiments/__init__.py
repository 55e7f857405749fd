"""What to train and how: recipe, schedule, augmentation, presets, the experiment."""
