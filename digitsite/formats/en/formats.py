"""Dates and times as in `recognizer.text.times`, also where Django's admin shows them."""

DATETIME_FORMAT = "j M Y, H:i"
