"""What would move a hub: figures changed, least efforts, weights moved.

`scale`: between figures and scores on fixed bounds; `changes`, `scenario`: what-if; `efforts`, `targets`: the cheapest
way to a rank; `straight`: totals as a straight line of weights; `break_even`, `regions`, `rank_range`: other weights.
"""
