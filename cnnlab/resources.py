"""Where cnnlab's own files stand: its app, its pages and the networks and studies that come with it.

In a checkout they stand beside the package. Where cnnlab is installed, the wheel has put them inside it, into `_app`.
Nothing is ever written there.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
INSTALLED = PACKAGE / "_app"
CHECKOUT = None if INSTALLED.is_dir() else PACKAGE.parent
"""The folder of the checkout; None where cnnlab is installed."""
ROOT = CHECKOUT or INSTALLED
APP = ROOT / "app.py"
ASSETS = ROOT / "assets"
SHIPPED = ROOT / "shipped"
