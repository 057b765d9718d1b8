"""Do the figures of several feeds, and of one feed with itself, agree: sums that must be exact, sources side by side.

`identities` knows the sums, `assertions` printed sums given from outside, `agreement` pairs of sources, `reconciling`
how a run of all of them is put together. Must not know commands or pages.
"""
