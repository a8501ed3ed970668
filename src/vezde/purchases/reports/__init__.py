"""Seller reports of marketplaces: what was sold and what came back, by the order's own mark.

A file is told by its columns' titles, never by their places. Only columns that are needed are read
at all: what names a buyer or a partner never leaves the file.
"""
