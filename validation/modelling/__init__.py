"""Models on the keyed sample: can splits be told apart, by which columns, and what does that cost a model."""
