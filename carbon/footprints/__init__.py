"""Footprints: activity data times emission factors, with uncertainty and quality, for companies, cities and persons.

Knows nothing of allowances but the ledger verbs that personal credits use, nothing of markets, and no HTTP.
"""
