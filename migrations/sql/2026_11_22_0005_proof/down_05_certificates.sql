DROP TABLE certificate, certificate_issue;
DROP FUNCTION certificates_are_complete(), certificate_follows();
