"""How far a ranking hangs on choices that could have been made otherwise: draws, ranks, bands and their study.

Knows results of the base index and array arithmetic. Knows no carbon table, no SQL, no HTTP and no clock.
"""
