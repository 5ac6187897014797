"""Everything that touches Great Expectations. This file imports none of it: its import takes seconds."""
