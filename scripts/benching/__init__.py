"""Measures Tandem beside Sippy B2BUA: the code of scripts/bench, and the staging that scripts/demo uses too."""
