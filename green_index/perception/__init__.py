"""How a city is seen, predicted from figures: support vector regression after the Global Financial Centres Index.

`model`: the regression and its tuning; `held_out`: leave-one-out, left-out groups, intervals, what a factor adds;
`domain`: whether a city lies within what was learnt from; `ratings`: respondents' ratings as a target; `files`: tables
that a user brings; `perceive`: the whole study.
"""
