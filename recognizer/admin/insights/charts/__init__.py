"""Figures to the geometry of charts. Pure functions, no Django; templates make SVG of the results.

There are two kinds of charts. Fluid ones place in per cent of their width and in pixels of a fixed
height, so that text and strokes keep their size on a telephone and on a wide screen. Square ones
place in the units of a view box. Coordinates are texts with a point for the decimals, whatever the
language; the words come from the caller.
"""
