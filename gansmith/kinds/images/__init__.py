"""Images, with or without classes or attributes; pairs and domains of images."""
