"""Raw FLEX recordings of whole sets become clips in the data folder."""
