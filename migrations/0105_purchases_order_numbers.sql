-- The shop's own number of the order, where the till prints it (tags 1084, 1191, 1192): lines of one
-- order find each other by it. The mark of a unit stays what seller reports ask for.
ALTER TABLE purchases.line ADD COLUMN order_number text;
-- An order has one buyer: a number that others have at the same shop is none
-- (`purchases.operations.numbering`).
CREATE INDEX line_by_order_number ON purchases.line (order_number, seller_inn)
    INCLUDE (member_id) WHERE order_number IS NOT NULL;
