"""A trained network in use: classifier, test-time augmentation, attribution, nearest images, HTTP server."""
