-- name: record
INSERT INTO activity (actor, action, subject, detail) VALUES (:actor, :action, :subject, CAST(:detail AS jsonb))
