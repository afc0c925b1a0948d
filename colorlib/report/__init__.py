"""Results on file, their tables and intervals, the figures of the report and their style."""
