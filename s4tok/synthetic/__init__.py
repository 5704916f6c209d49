"""The procedural world: objects and rooms made by seeded functions, so that every command has something to read."""
