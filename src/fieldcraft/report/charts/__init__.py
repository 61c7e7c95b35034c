"""Small pure functions that draw: numbers in, inline SVG out. Colours are classes that the page's style sheet fills."""
