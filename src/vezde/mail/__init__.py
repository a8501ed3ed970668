"""The mail face: takes letters to members' own addresses, over SMTP, and nothing else.

It relays nothing and sends nothing. A letter is kept before it is answered 250; an unknown address
is answered 550. What is in the letters is read by the workers (`receipts.mailing`).
"""
