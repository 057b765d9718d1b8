"""Single trades, up to 10^8 of them: read, kept file by file, and summarised by one kernel a file.

`records` knows a trade, `files` a user's own files, `names` the codes of participants that come by name, `table` the
Delta table, `kernel` the sums of one file, `sums` how they are added up into statistics, `executors` who maps the
kernel (threads here, Spark past one machine), `summary` the order of it all. Must not know SQL or screens; the measures
of days are those of `carbon.periods`.
"""
