"""Microdata: rows about firms, deals, advertisements, projects, answers and texts, made into panel rows.

Knows the declared input of every kind and which nodes of the FHI tree it feeds. Knows no weights, no scores and no
network. `fhi.microdata.build` holds the verb and the table of builders; nothing is imported here, so that importing
this package costs nothing.
"""
