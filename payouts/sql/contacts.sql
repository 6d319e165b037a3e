-- name: lock_member
SELECT member_id FROM member WHERE member_id = :member_id FOR UPDATE

-- name: contacts
SELECT lower(in_use) AS since, upper(in_use) - 1 AS until, name, telephone, email, postal_address, recorded_by, recorded_on FROM member_contact
WHERE member_id = :member_id ORDER BY in_use

-- name: trusted_day
SELECT trusted_contact_day(:member_id, :on)

-- name: reported_until
-- The last day that a bank reported; null: none yet.
SELECT max(as_of) FROM bank_statement

-- name: end
UPDATE member_contact SET in_use = daterange(lower(in_use), :since) WHERE member_id = :member_id AND upper_inf(in_use)

-- name: add
INSERT INTO member_contact (member_id, in_use, name, telephone, email, postal_address, recorded_by, recorded_on)
VALUES (:member_id, daterange(:since, NULL), :name, :telephone, :email, :postal_address, :actor, :recorded_on)
