-- What the home screen and the lists ask for again and again is found without reading whole tables.

CREATE INDEX inbox_by_arrival ON inbox (received_at, packet_id);
CREATE INDEX outbox_by_acceptance ON outbox (accepted_at) WHERE accepted_at IS NOT NULL;
CREATE INDEX outbox_refused ON outbox (created_at) WHERE state IN ('needs_person', 'failed');
CREATE INDEX document_by_year ON document (substr(ifnull(doc_date, created_at), 1, 4), body_code);
