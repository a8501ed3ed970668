"""Vezde: one loyalty programme for a brand that is bought everywhere."""
