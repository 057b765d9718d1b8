"""Weights of the children of a group: one module a method, arrays in and arrays out. Knows no tree, no hubs."""
