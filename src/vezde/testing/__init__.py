"""What tests of a programme need: people, receipts in every shape, vendors that answer on loopback.

Shipped, so that whoever builds on Vezde tests the same way.
"""
