"""Rows of trading that break a market's limits or look unlike its other days: each with its rule, row and source.

Nothing is set apart here: a finding says what to look at. Must not know commands or pages.
"""
