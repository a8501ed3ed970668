-- access.operations.erasing; answers of batches and of things without a member stay out of it.
CREATE INDEX answer_of_member ON access.answer (member_id) WHERE member_id IS NOT NULL;
