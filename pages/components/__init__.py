"""What runs in the browser: a folder each, with its own JavaScript and CSS and a Python face."""
