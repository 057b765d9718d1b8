"""Activities of persons by the hundred million: a table of whole numbers, summed by city, month and activity.

No person's name or id enters, only a whole-number code; caps and credits are in `carbon.footprints.persons`.
"""
