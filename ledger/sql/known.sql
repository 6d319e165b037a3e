-- name: known_at
SELECT centralpay.known_at(CAST(:size AS bigint))

-- name: present
SELECT set_config('search_path', 'centralpay, pg_temp', true), set_config('centralpay.known_size', '', true)

-- name: known_size
SELECT CASE WHEN current_setting('search_path') LIKE 'centralpay_known%' THEN centralpay.known_number('size') END
