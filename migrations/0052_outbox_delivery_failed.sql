-- outbox.webhooks.troubles
CREATE INDEX delivery_failed ON outbox.delivery (last_at, webhook_id, fact_id)
    WHERE state = 'failed';
