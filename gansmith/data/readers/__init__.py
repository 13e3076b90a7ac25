"""Where examples are found: folders, archives, arrays, tables of bytes, hubs, and the data that come with us."""
