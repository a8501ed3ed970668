"""What the matcher is measured on and trained with: names, and what tills make of them.

`tills` distorts names, `strangers` makes lines that are not the brand's, `shelves` invents whole
catalogues, `train` makes the matcher's weights from those alone.
"""
