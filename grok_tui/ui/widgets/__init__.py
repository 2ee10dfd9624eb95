"""What is drawn cell by cell: charts, bars, ribbons."""
