"""One module for each format of images: it checks a file's structure, then decodes its pixels.

A small file must not cost much time or memory. So each module first walks over the file without
decoding it, refuses what is longer or larger than images are, and passes on only the parts that
the pixels need; no metadata reaches a decoder. Large images are reduced while they are decoded.
"""
