"""Links: which groups belong together by linked columns and near-duplicates, closed into clusters. Pure."""
