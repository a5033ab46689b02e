"""Winners → packages."""
