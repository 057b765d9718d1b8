"""Personal carbon accounts: consent, reductions by methodology, credits in the ledger, and erasure on request.

Knows persons only as salted hashes. Must not know who a person is, nor how a hash is asked for over HTTP. Every verb
takes the connection of a writer (`carbon.ledger.post.writing`) first; days, times and salts are passed in.
"""
