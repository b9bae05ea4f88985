-- Uploads whose bytes come gzipped: `size` counts what comes, `packet_size` the packet's own bytes.
ALTER TABLE upload ADD COLUMN packet_size INTEGER NOT NULL DEFAULT 0;
UPDATE upload SET packet_size = size;
ALTER TABLE upload ADD COLUMN gzip_sha256 TEXT;
