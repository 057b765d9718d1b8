"""The ledger: accounts, units and every movement between them, kept true by the database itself.

Read in this order: `tables` (what there is), `guards` with the two SQL files (what no writer may do), `orders` and
`post` (the one door), `book`, `parties`, `verbs`, `settlement`, `obligations` (the verbs), `bulk` (many at once),
`chain`, `audit`, `trace` (how it is proved). Knows no market, no index, no HTTP and no clock.
"""
