"""The page that tells what a run did: one self-contained HTML file."""
