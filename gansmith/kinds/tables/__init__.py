"""Tables: rows of numbers, categories, dates and missing cells."""
