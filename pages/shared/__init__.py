"""What several pages share. Nothing here is a page."""
