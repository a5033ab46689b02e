"""What an exported package needs at run time: these files are copied into it, with their imports renamed."""
