"""The commands, one module for each noun. They import what they need when they run: the help is there at once."""
