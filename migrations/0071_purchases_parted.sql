-- A purchase of two people who were parted again: the copy without documents goes.
GRANT DELETE ON purchases.purchase TO vezde_app;
