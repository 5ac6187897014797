"""The metrics of stock expectations, counted in parts that merge exactly: on workers, by polars alone."""
