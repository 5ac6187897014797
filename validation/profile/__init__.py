"""What was written, measured: exact, mergeable statistics of every column, by split and source."""
