"""A contest: several clients do the same on one broker, interleaved, each in processes of its own."""
