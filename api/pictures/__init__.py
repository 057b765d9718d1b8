"""Pictures of the analyses as SVG, made on the server: `catalogue` has them by name, the others draw rows of one kind.

Knows geometry and words. Computes no figure: what is drawn stands in the rows.
"""
