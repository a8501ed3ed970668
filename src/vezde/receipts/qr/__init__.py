"""QR codes of receipts: the text's grammar, and the codes in a picture."""
