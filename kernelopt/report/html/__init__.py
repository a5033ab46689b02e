"""A run as one HTML file: charts drawn here as SVG, texts packed for a small script to show on a click."""
