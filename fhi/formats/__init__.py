"""Files that people bring: frameworks and figures, as TOML, CSV, XLSX or Parquet. Knows no weights and no scores."""
