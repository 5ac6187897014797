"""What is measured of an image: pure functions on small arrays of pixels, whose sums are of whole numbers."""
