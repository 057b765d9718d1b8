"""The schemes' rules as dated data, and what follows from them.

Knows schemes, instruments, allocation, obligations, carry-over, offsets and vintages. Must not know databases, screens
or clocks: every date is given. Import from the modules: `models` and `book` hold the rules, `schemes` who issues what,
`allocation`, `entities`, `obligation`, `carry_over`, `offset_limit`, `borrowing` and `vintages` the arithmetic.
"""
