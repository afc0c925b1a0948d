"""What a notebook shows and asks: the browser, the photo tool, the Turing test, live curves."""
